using Data2Vec.Cli;

return Commands.Run(args, Console.Out, Console.Error);
