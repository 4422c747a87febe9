using BenchmarkDotNet.Jobs;
using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Catalogue;

/// <summary>Timing measures what it says, and leaves nothing behind.</summary>
public sealed class TimingTests
{
    [Test]
    public void A_case_has_a_line_for_each_pass()
    {
        using var device = BenchDevice.Open("cpu", 1);
        var rows = new Bench.Running.Timer(device, new Bounds(1)).Time(Cases.Cases.Single(c => c.Id == "Linear/GELU")).ToArray();
        Assert.That(rows.Select(r => r.Pass), Is.EqualTo(new[] { "forward", "forward+backward" }));
        foreach (var row in rows)
        {
            Assert.That(row.MinSeconds, Is.GreaterThan(0).And.LessThanOrEqualTo(row.MedianSeconds!.Value));
            Assert.That(row.Unit, Is.EqualTo("GFLOP/s"));
            Assert.That(row.Runs, Is.GreaterThanOrEqualTo(5));
            // 5 x 7 x 19 multiply-adds in the time measured.
            var flops = 2.0 * 5 * 7 * 19 * (row.Pass == "forward" ? 1 : 3);
            Assert.That(row.Speed, Is.EqualTo(flops / row.MinSeconds!.Value / 1e9).Within(1e-9));
        }
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void Any_case_runs_under_BenchmarkDotNet()
    {
        // One with gradients, one of raw buffers, one without operands; one call each is enough to see that they run.
        string[] ids = ["Linear/GELU", "Adam/AdamW", "Fill/odd size"];
        var log = new StringWriter();
        var rows = CatalogueBenchmark.RunCases(
            [.. ids.Select(id => Cases.Cases.Single(c => c.Id == id))], () => BenchDevice.Open("cpu", 1), log, Job.Dry);
        Assert.That(rows.Select(r => $"{r.Op}/{r.Case}").Distinct(), Is.EquivalentTo(ids), log.ToString());
        Assert.That(rows.Select(r => r.Pass), Is.EquivalentTo(Enumerable.Repeat(new[] { "forward", "forward+backward" }, 3).SelectMany(p => p)));
        foreach (var row in rows)
        {
            Assert.That(row.Status, Is.EqualTo(Status.Passed), row.Reason);
            Assert.That(row.MinSeconds, Is.GreaterThan(0).And.LessThanOrEqualTo(row.MedianSeconds!.Value));
            Assert.That(row.AllocatedBytes, Is.Not.Null);
        }
    }

    [Test]
    public void A_case_that_fails_is_a_failed_line_and_not_the_end()
    {
        using var device = BenchDevice.Open("cpu", 1);
        var failing = new OpCase("Unary", "fails") { Inputs = [Input.Normal("x", 3)], Run = _ => throw new IndexOutOfRangeException("row 7") };
        var row = new Bench.Running.Timer(device, new Bounds(1)).Time(failing).Single();
        Assert.That((row.Status, row.Reason), Is.EqualTo((Status.Failed, "IndexOutOfRangeException: row 7")));
        using var oracle = BenchDevice.Open("reference");
        Assert.That(new Verifier(device, oracle).Verify(failing).Status, Is.EqualTo(Status.Failed));
        Assert.That(GradientProof.Prove(oracle, failing).Status, Is.EqualTo(Status.Failed));
        var refusal = new OpError("Unary", "fails", "row", [], _ => throw new IndexOutOfRangeException("row 7"));
        Assert.That(new Verifier(device, oracle).Verify(refusal).Reason, Does.Contain("no refusal").And.Contain("row 7"));
    }

    [Test]
    public void The_bounds_are_those_of_a_computer()
    {
        var bounds = new Bounds(1);
        Assert.That(bounds.GigaFlops, Is.InRange(0.5, 10_000));
        Assert.That(bounds.GigaBytes(1 << 16), Is.InRange(0.1, 10_000));
    }
}
