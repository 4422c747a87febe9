using Data2Vec.Bench;

return BenchCommand.Run(args, Console.Out, Console.Error);
