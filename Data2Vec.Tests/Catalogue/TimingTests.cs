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
    public void The_bounds_are_those_of_a_computer()
    {
        var bounds = new Bounds(1);
        Assert.That(bounds.GigaFlops, Is.InRange(0.5, 10_000));
        Assert.That(bounds.GigaBytes(1 << 16), Is.InRange(0.1, 10_000));
    }
}
