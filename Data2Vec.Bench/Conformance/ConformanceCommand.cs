using System.CommandLine;
using Data2Vec.Bench.Running;

namespace Data2Vec.Bench.Conformance;

/// <summary>The verb <c>conformance DIR [FILTER]</c>.</summary>
internal static class ConformanceCommand
{
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
        var options = new BenchOptions("reference");
        options.Device.Description += " reference compares in float64, the others in float32.";
        options.Size.Description = "As in the other verbs; the folder decides the sizes.";
        var command = options.AddTo(
            new Command("conformance", "Compare with what published implementations computed.") { folder, filter });
        command.SetAction(parsed =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var request = options.Read(parsed, parsed.GetValue(filter));
            return BenchOptions.Run(parsed, request, () =>
            {
                using var device = BenchDevice.Open(request);
                var path = parsed.GetValue(folder)!;
                output.WriteLine($"{path} on {device.Name}: {device}");
                return ConformanceSuites.Run(path, request.Filter, device, output, request.Json);
            });
        });
        return command;
    }
}
