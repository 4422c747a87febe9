using Data2Vec.Bench;
using Data2Vec.Bench.Running;
using Data2Vec.Kernels;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Catalogue;

/// <summary>What kernels do on the emulator stands beside what their case must do.</summary>
public sealed class LaunchCounterTests
{
    [Test]
    public void Every_launch_has_a_line_and_the_pass_their_sum()
    {
        using var device = BenchDevice.Open("emulator");
        var c = Cases.Cases.Single(c => c.Id == "LayerNorm/whole vectors");
        var rows = new LaunchCounter(device).Count(c, DType.Float32);
        var forward = rows.Where(r => r.Pass == "forward").ToArray();
        Assert.That(forward, Has.Length.EqualTo(2));
        Assert.That(forward[^1].Launch!.Kernel, Is.EqualTo("all 1 launches"));
        var counts = forward[0].Launch!;
        // Inference keeps no statistics: 4 rows of 64 float32 numbers are all that is written, and each number is read.
        Assert.That(counts.GlobalWritten, Is.EqualTo(4 * 4 * 64));
        Assert.That(counts.GlobalRead, Is.GreaterThanOrEqualTo(4 * 4 * 64));
        Assert.That(counts.Instructions["global"], Is.GreaterThan(0));
        Assert.That(counts.Uncoalesced, Is.EqualTo(counts.Sectors - counts.SectorsNeeded));

        var both = rows.Where(r => r.Pass == "forward+backward").ToArray();
        var (launches, sum) = (both[..^1], both[^1].Launch!);
        Assert.That(launches, Has.Length.GreaterThan(1));
        Assert.That(sum.Kernel, Is.EqualTo($"all {launches.Length} launches"));
        Assert.That(sum.GlobalRead, Is.EqualTo(launches.Sum(r => r.Launch!.GlobalRead)));
        Assert.That(sum.Wavefronts, Is.EqualTo(launches.Sum(r => r.Launch!.Wavefronts)));
        Assert.That(sum.Instructions.Values.Sum(), Is.EqualTo(launches.Sum(r => r.Launch!.Instructions.Values.Sum())));
        Assert.That(both[^1].Bytes, Is.GreaterThan(forward[^1].Bytes!.Value));
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void The_prediction_stands_beside_the_sum()
    {
        var output = new StringWriter();
        Assert.That(BenchCommand.Run(["counters", "LayerNorm/whole vectors"], output, TextWriter.Null), Is.Zero);
        // x, y, gamma and beta: 4 x 64 numbers twice, and 64 twice.
        Assert.That(output.ToString(), Does.Match(
            @"forward +all 1 launches: [\d,]+ instructions of warps \(.*\), [\d.]+ of 32 lanes; [\d,]+ B read, 1,024 B written = [\d.]+ of the 2,560 B predicted;"));
        Assert.That(output.ToString(), Does.Match(@"shared memory [\d,]+ B read, [\d,]+ B written, [\d,]+ wavefronts, [\d,]+ for conflicts"));
    }

    [Test]
    public void Who_does_not_count_is_refused()
    {
        var errors = new StringWriter();
        Assert.That(BenchCommand.Run(["counters", "--device", "cpu"], TextWriter.Null, errors), Is.EqualTo(2));
        Assert.That(errors.ToString().Trim(), Is.EqualTo(
            "counters come from the emulator: use --device emulator; cpu does not count what its kernels do."));
    }
}
