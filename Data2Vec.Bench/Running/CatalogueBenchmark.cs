using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Data2Vec.Bench.Cases;
using Data2Vec.Engine;

namespace Data2Vec.Bench.Running;

/// <summary>Any case of the catalogue under BenchmarkDotNet, in this process: the cases are the parameter values.</summary>
public class CatalogueBenchmark
{
    private static IReadOnlyList<string> selected = [];
    private static Func<Device>? open;

    private Device? device;
    private CaseRun? run;

    /// <summary>Name of the case: "LayerNorm/odd width".</summary>
    [ParamsSource(nameof(Selected))]
    public string Case { get; set; } = "";

    /// <summary>The cases asked for.</summary>
    public static IEnumerable<string> Selected => selected;

    /// <summary>Runs the cases and gives a row for each method.</summary>
    /// <param name="cases">Which.</param>
    /// <param name="openDevice">Makes the device of one benchmark.</param>
    /// <param name="output">For the log.</param>
    /// <param name="job">How thoroughly; null = a short run.</param>
    internal static IReadOnlyList<Row> RunCases(
        IReadOnlyList<OpCase> cases, Func<Device> openDevice, TextWriter output, Job? job = null)
    {
        selected = [.. cases.Select(c => c.Id)];
        open = openDevice;
        var config = ManualConfig.CreateEmpty()
            .AddJob((job ?? Job.ShortRun).WithToolchain(InProcessEmitToolchain.Instance))
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddLogger(new TextLogger(output))
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "data2vec-bdn"))
            .WithOptions(ConfigOptions.DisableLogFile);
        var summary = BenchmarkRunner.Run<CatalogueBenchmark>(config);
        return [.. summary.Reports.Select(ToRow)];
    }

    /// <summary>Opens the device and uploads the operands.</summary>
    [GlobalSetup]
    public void Open()
    {
        device = open!();
        run = new CaseRun(Catalogue.Cases.Single(c => c.Id == Case), device);
    }

    /// <summary>Gives everything back.</summary>
    [GlobalCleanup]
    public void Close()
    {
        run?.Dispose();
        device?.Dispose();
    }

    /// <summary>Forward, nothing saved.</summary>
    [Benchmark]
    public void Forward() => run!.Forward();

    /// <summary>Forward with a tape, and every gradient; without gradients the forward call alone.</summary>
    [Benchmark]
    public void ForwardAndBackward()
    {
        if (run!.HasBackward) run.ForwardAndBackward();
        else run.Forward();
    }

    private static Row ToRow(BenchmarkReport report)
    {
        var id = (string)report.BenchmarkCase.Parameters[nameof(Case)];
        var slash = id.IndexOf('/');
        var statistics = report.ResultStatistics;
        return new Row(id[..slash], id[(slash + 1)..], report.Success && statistics is not null ? Status.Passed : Status.Failed)
        {
            Pass = report.BenchmarkCase.Descriptor.WorkloadMethod.Name == nameof(Forward) ? "forward" : "forward+backward",
            MinSeconds = statistics?.Min / 1e9,
            MedianSeconds = statistics?.Median / 1e9,
            Runs = statistics?.N,
            AllocatedBytes = report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase),
            Reason = report.Success ? null : "BenchmarkDotNet reported an error; see its log above",
        };
    }
}
