using System.CommandLine;
using Data2Vec.Bench.Running;
using Data2Vec.Kernels;

namespace Data2Vec.Bench;

/// <summary>The options that every verb has, and what holds for every verb: exit codes, and a last line that counts.</summary>
internal sealed class BenchOptions
{
    private static readonly string[] Sizes = ["tiny", "all"];
    private static readonly string[] Types = ["float32", "bfloat16"];

    public BenchOptions(string defaultDevice)
    {
        Device = new Option<string>("--device")
        {
            Description = $"One of {BenchDevice.Names}.", DefaultValueFactory = _ => defaultDevice,
        };
        Size.AcceptOnlyFromAmong(Sizes);
        Type.AcceptOnlyFromAmong(Types);
        Threads.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out var n) && n < 0)
                result.AddError("--threads must be at least 1, or 0 for all processors.");
        });
    }

    public Option<string> Device { get; }

    public Option<int?> Threads { get; } = new("--threads") { Description = "Worker threads; default all processors." };

    public Option<string> Size { get; } = new("--size")
    {
        Description = "tiny, or all: also shapes of real models.", DefaultValueFactory = _ => "tiny",
    };

    public Option<string> Type { get; } = new("--dtype")
    {
        Description = "Type of the operands for verify, time and counters: float32, or bfloat16 with sums in float32.", DefaultValueFactory = _ => "float32",
    };

    public Option<string?> Json { get; } = new("--json") { Description = "Also write every row to this file." };

    /// <summary>Adds the options to a verb whose arguments are there already.</summary>
    public Command AddTo(Command command)
    {
        foreach (var option in new Option[] { Device, Threads, Size, Type, Json }) command.Options.Add(option);
        return command;
    }

    /// <summary>What was asked for.</summary>
    public Request Read(ParseResult parsed, string? filter) => new(filter, parsed.GetValue(Device)!, parsed.GetValue(Threads),
        parsed.GetValue(Size) == "tiny", parsed.GetValue(Json))
    {
        Type = parsed.GetValue(Type) == "bfloat16" ? DType.BFloat16 : DType.Float32,
        TypeIsGiven = parsed.GetResult(Type) is { Implicit: false },
    };

    /// <summary>Runs a verb: 2 for wrong use, 1 for what nobody expected; the last line counts in any case.</summary>
    public static int Run(ParseResult parsed, Request request, Func<int> verb)
    {
        var configuration = parsed.InvocationConfiguration;
        try
        {
            if (request.Json is not null) MakeSureOf(request.Json);
            return verb();
        }
        catch (UsageException e)
        {
            configuration.Error.WriteLine(e.Message);
            configuration.Output.WriteLine(Report.Count(0, 0, 0, 0));
            return 2;
        }
        catch (Exception e)
        {
            configuration.Error.WriteLine(e);
            configuration.Output.WriteLine(Report.Count(0, 0, 1, 0));
            return 1;
        }
    }

    /// <summary>A file that cannot be written is noticed before the work and not after it.</summary>
    private static void MakeSureOf(string file)
    {
        try
        {
            File.Open(file, FileMode.OpenOrCreate, FileAccess.Write).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"--json {file} cannot be written: {e.Message}");
        }
    }
}
