using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Tests.Catalogue;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Memory;

/// <summary>
/// No kernel of the cpu makes garbage, on the calling thread or on a worker. The queue of the delayed device separates
/// kernels from what the engine makes around them (handles, nodes): the calls of a case are queued first, then nothing
/// but the queue runs while the bytes of all threads are counted.
/// </summary>
public sealed class KernelGarbageTests
{
    private const int Rounds = 8;
    private const int Attempts = 60;

    private Device device = null!;

    [OneTimeSetUp]
    public void Open() => device = Device.Parse("delayed", 2);

    [OneTimeTearDown]
    public void Close() => device.Dispose();

    [TestCaseSource(nameof(Operations))]
    public void A_kernel_makes_no_garbage(string operation)
    {
        using (Assert.EnterMultipleScope())
        {
            foreach (var c in Cases.Cases.Where(c => c.Op == operation && c.Size == CaseSize.Tiny))
            {
                using var run = new CaseRun(c, device);
                Assert.That(Garbage(device, run.LaunchForward), Is.Zero, $"{c.Id} forward");
                if (run.HasBackward) Assert.That(Garbage(device, run.LaunchForwardAndBackward), Is.Zero, $"{c.Id} backward");
            }
        }
    }

    [Test]
    public void Garbage_of_a_caller_or_a_worker_is_noticed([Values] bool inWorker)
    {
        object? garbage = null;
        using var waiting = new SemaphoreSlim(0);
        using var done = new SemaphoreSlim(0);
        var worker = new Thread(() =>
        {
            while (waiting.Wait(TimeSpan.FromSeconds(30)) && garbage is not Device)
            {
                garbage = new byte[40];
                done.Release();
            }
        });
        worker.Start();
        void Make()
        {
            if (!inWorker)
            {
                garbage = new byte[40];
                return;
            }
            waiting.Release();
            done.Wait();
        }
        using var wasteful = new Device("wasteful",
            new DelayedBackend(new RecordingBackend(new ReferenceBackend()) { Before = Make }));
        using (var run = new CaseRun(Cases.Cases.First(c => c.Op == "Fill"), wasteful))
            Assert.That(Garbage(wasteful, run.LaunchForward), Is.GreaterThanOrEqualTo(Rounds * 40));
        garbage = wasteful;
        waiting.Release();
        worker.Join();
    }

    private static IEnumerable<string> Operations => Cases.Cases.Select(c => c.Op).Distinct();

    /// <summary>Bytes that the queue of some calls allocates; the least of several tries, because others may allocate.</summary>
    private static long Garbage(Device device, Action launch)
    {
        var least = long.MaxValue;
        for (var attempt = 0; attempt < Attempts && least > 0; attempt++)
        {
            // The runtime's own threads allocate now and then, for a while: what a kernel allocates, it allocates every time.
            if (attempt > 4) Thread.Sleep(5);
            for (var i = 0; i < Rounds; i++) launch();
            var before = GC.GetTotalAllocatedBytes(precise: true);
            device.Backend.Synchronize();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        return least;
    }
}
