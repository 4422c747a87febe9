using BenchmarkDotNet.Jobs;
using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Models.Configuration;
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
    public void Whole_updates_have_a_line_with_their_peaks()
    {
        StepCase[] cases =
        [
            StepCase.Text(TextPretrainConfig.Presets["tiny"] with { VocabularySize = 300 }, batch: 2, time: 9),
            StepCase.Vision(VisionPretrainConfig.Presets["tiny"], batch: 2),
            StepCase.Audio(AudioPretrainConfig.Presets["tiny"], batch: 2, samples: 4000),
        ];
        Assert.That(cases.Select(c => c.Id), Is.EqualTo(new[]
        {
            "text/2x9 tokens", "vision/2x37 tokens", "audio/2x4000 samples",
        }));
        foreach (var c in cases)
        {
            using var device = BenchDevice.Open("cpu", 1);
            var row = new Bench.Running.Timer(device, new Bounds(1)).Time(c);
            Assert.That((row.Op, row.Case, row.Pass, row.Status),
                Is.EqualTo((c.Modality, c.Shape, "update", Status.Passed)));
            Assert.That(row.Speed, Is.EqualTo(c.Flops / row.MinSeconds!.Value / 1e9).Within(1e-9));
            Assert.That(device.OutstandingBuffers, Is.Zero);
            // Values, gradients and two moments at least.
            long parameters;
            using (var session = c.Start(device)) parameters = session.Store.Count;
            Assert.That(row.PeakBuffersMb, Is.InRange(4 * sizeof(float) * parameters / 1048576.0, 500));
            Assert.That(row.PeakRssMb, Is.GreaterThan(20).And.LessThan(4000));
        }
    }

    [Test]
    public void Updates_of_base_models_are_those_of_the_peer()
    {
        Assert.That(StepCase.All.Select(c => $"{c.Id}: {c.Flops:F0}"), Is.EqualTo(new[]
        {
            "text/4x128 tokens: 358631866368", "vision/4x197 tokens: 562763464704", "audio/1x80000 samples: 259768283136",
        }), "shapes and work as the libtorch peer counts them");
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
