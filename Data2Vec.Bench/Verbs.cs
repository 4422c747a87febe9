using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;

namespace Data2Vec.Bench;

/// <summary>What each verb does with the selected cases.</summary>
internal static class Verbs
{
    public static void List(Request request, Report report)
    {
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
        using var device = Open(request);
        using var oracle = BenchDevice.Open("reference");
        report.Output.WriteLine($"{device.Name}: {device} against {oracle} in float64");
        var verifier = new Verifier(device, oracle);
        foreach (var c in Catalogue.Select(request.Filter, request.TinyOnly)) report.Add(verifier.Verify(c));
        foreach (var e in Catalogue.SelectErrors(request.Filter)) report.Add(verifier.Verify(e));
    }

    public static void Grad(Request request, Report report)
    {
        if (request.Device != "reference")
            throw new UsageException("grad runs in double precision, which only --device reference has; verify compares the others with it.");
        using var reference = Open(request);
        report.Output.WriteLine($"derivatives against central differences in float64 on {reference}");
        foreach (var c in Catalogue.Select(request.Filter, request.TinyOnly)) report.Add(GradientProof.Prove(reference, c));
    }

    public static void Time(Request request, Report report)
    {
        using var device = Open(request);
        var bounds = new Bounds(request.Threads ?? (request.Device.EndsWith("reference") ? 1 : Environment.ProcessorCount));
        report.Output.WriteLine($"{device.Name}: {device}");
        report.Output.WriteLine(bounds);
        var timer = new Running.Timer(device, bounds);
        foreach (var c in Catalogue.Select(request.Filter, request.TinyOnly))
            foreach (var row in timer.Time(c)) report.Add(row);
    }

    public static void Steps(Request request, Report report)
    {
        using var device = Open(request);
        var bounds = new Bounds(request.Threads ?? Environment.ProcessorCount);
        report.Output.WriteLine($"{device.Name}: {device}");
        report.Output.WriteLine(bounds);
        var timer = new Running.Timer(device, bounds);
        foreach (var c in StepCase.All.Where(c => c.Modality.Contains(request.Filter ?? ""))) report.Add(timer.Time(c));
    }

    public static void Bdn(Request request, Report report)
    {
        Open(request).Dispose(); // an unknown device is wrong use, not a failed benchmark
        var cases = Catalogue.Select(request.Filter, request.TinyOnly);
        if (cases.Count == 0) return;
        foreach (var row in CatalogueBenchmark.RunCases(cases, () => Open(request), report.Output)) report.Add(row);
    }

    private static Device Open(Request request)
    {
        try
        {
            return BenchDevice.Open(request.Device, request.Threads);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new UsageException(e.Message);
        }
    }
}
