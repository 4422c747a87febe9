using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Tests.Gpu;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Memory;

/// <summary>
/// What the CUDA backend does to launch a kernel makes no garbage. The engine's handles and nodes around a case are the
/// same on every device, and no kernel of the cpu makes any (<see cref="KernelGarbageTests"/>): a case may cost the
/// collector as much on CUDA devices as on the cpu, and no more.
/// </summary>
public sealed class LaunchGarbageTests
{
    private const int Warm = 4, Attempts = 5;

    /// <summary>Tables that the engine makes in float32 and rounds, or results that are float32: other calls in bfloat16.</summary>
    private static readonly string[] OtherCalls =
    [
        nameof(IBackend.Cast), "Resize2d", "ConvTranspose1d", "CumulativeSum", "AveragePool1d", "AdaptiveAveragePool1d",
    ];

    /// <summary>What only looks at memory in another shape.</summary>
    private static readonly string[] Views = ["Squeeze", "Unsqueeze"];

    private Device cpu = null!, cuda = null!;
    private IdleDriver driver = null!;

    [OneTimeSetUp]
    public void Open()
    {
        cpu = Device.Parse("cpu", 2);
        driver = new IdleDriver();
        cuda = new Device("idle", new CudaBackend(new CudaRuntime(driver)));
    }

    [OneTimeTearDown]
    public void Close()
    {
        cuda.Dispose();
        cpu.Dispose();
        driver.Dispose();
    }

    [TestCaseSource(nameof(Operations))]
    public void A_launch_makes_no_garbage(string operation, DType type)
    {
        var before = driver.Launches;
        using (Assert.EnterMultipleScope())
        {
            foreach (var c in Cases.Cases.Where(c => c.Op == operation && c.Size == CaseSize.Tiny))
            {
                // The state of an optimiser is float32.
                if (type == DType.BFloat16 && c.RunRaw is not null) continue;
                using var run = new CaseRun(c, cuda, type);
                using var other = new CaseRun(c, cpu);
                Assert.That(
                    Garbage(run.LaunchForward), Is.LessThanOrEqualTo(Garbage(other.LaunchForward)), $"{c.Id} forward");
                if (!run.HasBackward) continue;
                var most = Garbage(other.LaunchForwardAndBackward);
                Assert.That(Garbage(run.LaunchForwardAndBackward), Is.LessThanOrEqualTo(most), $"{c.Id} backward");
            }
        }
        if (Cases.Cases.Any(c => c.Op == operation && c.RunRaw is null) && !Views.Contains(operation))
            Assert.That(driver.Launches, Is.GreaterThan(before));
    }

    private static IEnumerable<object[]> Operations => Cases.Cases.Select(c => c.Op).Distinct().SelectMany(
        o => OtherCalls.Contains(o) ? new object[][] { [o, DType.Float32] } : [[o, DType.Float32], [o, DType.BFloat16]]);

    /// <summary>Bytes of one call on this thread once everything has grown; the least of several tries.</summary>
    private static long Garbage(Action launch)
    {
        for (var i = 0; i < Warm; i++) launch();
        var least = long.MaxValue;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            launch();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
