using System.CommandLine;
using Data2Vec.Bench.Cases;
using Data2Vec.Kernels;

namespace Data2Vec.Bench;

/// <summary>What was asked for on the command line.</summary>
internal sealed record Request(string? Filter, string Device, int? Threads, bool TinyOnly, string? Json)
{
    /// <summary>Type that cases are run in.</summary>
    public DType Type { get; init; }

    /// <summary>Whether that type was asked for by name.</summary>
    public bool TypeIsGiven { get; init; }

    /// <summary>What to time side by side with us; null = nothing.</summary>
    public string? Peer { get; init; }

    /// <summary>The interpreter that the peer's script runs under.</summary>
    public string PeerPython { get; init; } = "python3";
}

/// <summary>The verbs and their options; every verb ends with one line that counts what was done.</summary>
internal static class BenchCommand
{
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        var root = new RootCommand("Proofs and timings of every operation, from one catalogue of cases.");
        root.Subcommands.Add(Verb("list", "Show the cases.", "reference", Verbs.List));
        root.Subcommands.Add(Verb("verify", "Compare a device with Reference in double precision.", "cpu", Verbs.Verify));
        root.Subcommands.Add(Verb("grad", "Compare derivatives with finite differences on Reference.", "reference", Verbs.Grad));
        root.Subcommands.Add(Conformance.ConformanceCommand.Make());
        root.Subcommands.Add(Timing());
        root.Subcommands.Add(Verb(
            "counters", "Count what kernels do on the emulator, beside what they must.", "emulator", Verbs.Counters));
        root.Subcommands.Add(Verb("steps", "Time whole pre-training updates of base-size models.", "cpu", Verbs.Steps));
        root.Subcommands.Add(KernelsCommand.Make());
        root.Subcommands.Add(CudaCommand.Make());
        root.Subcommands.Add(CurvesCommand.Make());
        root.Subcommands.Add(Verb("bdn", "Run cases under BenchmarkDotNet.", "cpu", Verbs.Bdn));
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 || parsed.CommandResult.Command == root && args.Length == 0)
        {
            parsed.Invoke(new InvocationConfiguration { Output = errors, Error = errors });
            output.WriteLine(Report.Count(0, 0, 0, 0));
            return 2;
        }
        return parsed.Invoke(new InvocationConfiguration { Output = output, Error = errors });
    }

    /// <summary>time, which can have a peer.</summary>
    private static Command Timing()
    {
        var peer = new Option<string?>("--peer")
        {
            Description = "Time the operations of an update at the sizes of base models (--size tiny: a try-out) side by side with "
                + "a peer on the same device: pytorch.",
        };
        peer.AcceptOnlyFromAmong("pytorch");
        var python = new Option<string>("--peer-python")
        {
            Description = "Interpreter that has PyTorch.", DefaultValueFactory = _ => "python3",
        };
        return Verb("time", "Time a device against what the machine can do at best.", "cpu", Verbs.Time,
            (parsed, request) => request with { Peer = parsed.GetValue(peer), PeerPython = parsed.GetValue(python)! }, peer, python);
    }

    private static Command Verb(
        string name, string description, string defaultDevice, Action<Request, Report> run,
        Func<ParseResult, Request, Request>? more = null, params Option[] others)
    {
        var filter = new Argument<string?>("filter")
        {
            Description = "Only operations and cases whose name contains this.", Arity = ArgumentArity.ZeroOrOne,
        };
        var options = new BenchOptions(defaultDevice);
        var command = options.AddTo(new Command(name, description) { filter });
        foreach (var option in others) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var request = options.Read(parsed, parsed.GetValue(filter));
            request = more?.Invoke(parsed, request) ?? request;
            var report = new Report(parsed.InvocationConfiguration.Output);
            return BenchOptions.Run(parsed, request, () =>
            {
                run(request, report);
                return report.Finish(name, request);
            });
        });
        return command;
    }
}

/// <summary>The command line asks for something that does not exist; the message says what does.</summary>
internal sealed class UsageException(string message) : Exception(message);
