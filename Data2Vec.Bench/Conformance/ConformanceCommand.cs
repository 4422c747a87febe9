using System.CommandLine;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;

namespace Data2Vec.Bench.Conformance;

/// <summary>The verb <c>conformance DIR [FILTER]</c>.</summary>
internal static class ConformanceCommand
{
    private static readonly string[] Sizes = ["tiny", "all"];

    public static Command Make()
    {
        var folder = new Argument<string>("dir")
        {
            Description = "A folder of recorded suites, or one suite's folder.",
        };
        var filter = new Argument<string?>("filter")
        {
            Description = "Only cases whose suite/function/case contains this.", Arity = ArgumentArity.ZeroOrOne,
        };
        var device = new Option<string>("--device")
        {
            Description = $"One of {BenchDevice.Names}. reference compares in float64, the others in float32.",
            DefaultValueFactory = _ => "reference",
        };
        var threads = new Option<int?>("--threads") { Description = "Worker threads; default all processors." };
        var size = new Option<string>("--size")
        {
            Description = "As in the other verbs; the folder decides the sizes.",
        };
        size.AcceptOnlyFromAmong(Sizes);
        var json = new Option<string?>("--json") { Description = "Also write every case to this file." };
        var command = new Command("conformance", "Compare with what published implementations computed.")
        {
            folder, filter, device, threads, size, json,
        };
        command.SetAction(parsed =>
        {
            var configuration = parsed.InvocationConfiguration;
            try
            {
                using var opened = Open(parsed.GetValue(device)!, parsed.GetValue(threads));
                configuration.Output.WriteLine($"{parsed.GetValue(folder)} on {opened.Name}: {opened}");
                return ConformanceSuites.Run(parsed.GetValue(folder)!, parsed.GetValue(filter), opened,
                    configuration.Output, parsed.GetValue(json));
            }
            catch (Exception e) when (e is ArgumentException or NotSupportedException)
            {
                configuration.Error.WriteLine(e.Message);
                configuration.Output.WriteLine(Report.Count(0, 0, 0, 0));
                return 2;
            }
        });
        return command;
    }

    private static Device Open(string name, int? threads) => name.StartsWith("delayed", StringComparison.Ordinal)
        ? BenchDevice.Open(name, threads)
        : Device.Parse(name, threads ?? 0);
}
