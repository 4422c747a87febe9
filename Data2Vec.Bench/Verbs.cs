using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Bench.SideBySide;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench;

/// <summary>What each verb does with the selected cases.</summary>
internal static class Verbs
{
    public static void List(Request request, Report report)
    {
        BenchDevice.Open(request).Dispose(); // not needed, but a wrong name is wrong use everywhere
        foreach (var c in Catalogue.Select(request.Filter, request.TinyOnly))
        {
            var shapes = string.Join(" ", c.Inputs.Select(i => $"{i.Name}{i.Shape.ToString().Replace(" ", "")}"));
            report.Add(new Row(c.Op, c.Name, Status.Passed) { Reason = shapes.Length == 0 ? null : shapes });
        }
        foreach (var e in Catalogue.SelectErrors(request.Filter))
            report.Add(new Row(e.Op, "refused: " + e.Name, Status.Passed) { Reason = $"\"... {e.Fragment} ...\"" });
    }

    public static void Verify(Request request, Report report)
    {
        using var device = BenchDevice.Open(request);
        using var oracle = BenchDevice.Open("reference");
        report.Output.WriteLine($"{device.Name}: {device} in {request.Type.Name()} against {oracle} in float64");
        var verifier = new Verifier(device, oracle, request.Type);
        foreach (var c in Catalogue.Select(request.Filter, request.TinyOnly)) report.Add(verifier.Verify(c));
        if (device.Backend is CudaBackend)
            foreach (var c in Catalogue.SelectWholeWarps(request.Filter, request.Type)) report.Add(verifier.Verify(c));
        foreach (var e in Catalogue.SelectErrors(request.Filter)) report.Add(verifier.Verify(e));
    }

    public static void Grad(Request request, Report report)
    {
        if (request.Device != "reference")
            throw new UsageException("grad runs in double precision, which only --device reference has; verify compares the others with it.");
        using var reference = BenchDevice.Open(request);
        report.Output.WriteLine($"derivatives against central differences in float64 on {reference}");
        foreach (var c in Catalogue.Select(request.Filter, request.TinyOnly)) report.Add(GradientProof.Prove(reference, c));
    }

    public static void Time(Request request, Report report)
    {
        using var device = BenchDevice.Open(request);
        var bounds = BoundsOf(request, device);
        report.Output.WriteLine($"{device.Name}: {device}");
        if (request.Peer is not null)
        {
            PeerComparison.Run(request, device, bounds, report);
            return;
        }
        bounds.Measure();
        report.Output.WriteLine(bounds);
        var timer = new Running.Timer(device, bounds);
        foreach (var c in Catalogue.Select(request.Filter, request.TinyOnly))
            foreach (var row in timer.Time(c, request.Type)) report.Add(row);
    }

    public static void Counters(Request request, Report report)
    {
        using var device = BenchDevice.Open(request);
        var counter = new LaunchCounter(device);
        report.Output.WriteLine($"{device.Name}: {device}, {request.Type.Name()}; counts of warps, predictions of the algorithm");
        foreach (var c in Catalogue.Select(request.Filter, request.TinyOnly))
            foreach (var row in counter.Count(c, request.Type)) report.Add(row);
    }

    public static void Steps(Request request, Report report)
    {
        using var first = BenchDevice.Open(request);
        report.Output.WriteLine($"{first.Name}: {first}");
        var bounds = BoundsOf(request, first);
        bounds.Measure();
        report.Output.WriteLine(bounds);
        first.Dispose();
        foreach (var c in StepCase.All.Where(c => Catalogue.Matches(c.Id, request.Filter)))
        {
            // A device for each, because its memory keeps the peak of all its time.
            using var device = BenchDevice.Open(request);
            report.Add(new Running.Timer(device, bounds).Time(c));
        }
    }

    public static void Bdn(Request request, Report report)
    {
        BenchDevice.Open(request).Dispose(); // an unknown device is wrong use, not a failed benchmark
        var cases = Catalogue.Select(request.Filter, request.TinyOnly);
        if (cases.Count == 0) return;
        foreach (var row in CatalogueBenchmark.RunCases(cases, () => BenchDevice.Open(request), report.Output)) report.Add(row);
    }

    /// <summary>The bounds of a device with a queue, or of as many threads as the device has.</summary>
    private static IBounds BoundsOf(Request request, Device device) => device.Backend.Queues ? new DeviceBounds(device)
        : HostBounds(request);

    private static Bounds HostBounds(Request request) => new(request.Device.EndsWith("reference", StringComparison.Ordinal) ? 1
        : request.Threads is > 0 and var threads ? threads : Environment.ProcessorCount);
}
