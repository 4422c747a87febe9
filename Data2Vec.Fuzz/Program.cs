using Data2Vec.Fuzz;
using SharpFuzz;

const string Usage = """
    usage: Data2Vec.Fuzz seeds TARGET FIXTURES OUT   writes files to begin from into OUT, and OUT.words for afl-fuzz -x
           Data2Vec.Fuzz afl TARGET                  reads what afl-fuzz sends; one file from standard input without it
           Data2Vec.Fuzz replay TARGET FILE...       says what each file does
    """;

if (args.Length < 2 || !FuzzTargets.Names.Contains(args[1])) return Misused();
switch (args)
{
    case ["seeds", var name, var fixtures, var folder]:
        Directory.CreateDirectory(folder);
        var target = FuzzTargets.Of(name);
        foreach (var (i, bytes) in target.Seeds(fixtures).Index())
            File.WriteAllBytes(Path.Combine(folder, $"seed-{i:D3}"), bytes);
        File.WriteAllText(folder + ".words", target.Dictionary());
        return 0;
    case ["afl", var name]:
        // Instrumented code has nowhere to count before afl-fuzz is met, so the target is made then. The readers run
        // in a process of their own: an overflown stack or a crash of a native library is survived and counted.
        var made = new Lazy<FuzzTarget>(() => FuzzTargets.Of(name));
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var memory = new MemoryStream();
            stream.CopyTo(memory);
            made.Value.Run(memory.ToArray());
        });
        return 0;
    case ["replay", var name, .. var files] when files.Length > 0:
        var replayed = FuzzTargets.Of(name);
        return files.Count(f => !Replay(replayed, f)) > 0 ? 1 : 0;
    default:
        return Misused();
}

static int Misused()
{
    Console.Error.WriteLine(Usage);
    Console.Error.WriteLine($"TARGET is one of {string.Join(", ", FuzzTargets.Names)}.");
    return 2;
}

static bool Replay(FuzzTarget target, string file)
{
    try
    {
        Console.WriteLine($"{file}: read by {target.Run(File.ReadAllBytes(file))} of {target.Readings.Count}");
        return true;
    }
    catch (FuzzFindingException e)
    {
        Console.WriteLine($"{file}: {e}");
        return false;
    }
}
