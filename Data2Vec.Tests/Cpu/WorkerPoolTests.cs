using Data2Vec.Kernels.Cpu;
using NUnit.Framework;

namespace Data2Vec.Tests.Cpu;

public sealed unsafe class WorkerPoolTests
{
    [Test]
    public void Every_chunk_runs_exactly_once([Values(1, 2, 5)] int threads, [Values(0, 1, 2, 7, 300)] int chunks)
    {
        using var pool = new WorkerPool(threads);
        var counts = stackalloc int[300];
        for (var round = 1; round <= 200; round++)
        {
            var job = new CountJob { Counts = counts, Threads = threads };
            pool.Run(ref job, chunks);
            for (var i = 0; i < chunks; i++)
                if (counts[i] != round) Assert.Fail($"Chunk {i} ran {counts[i]} times in {round} rounds.");
        }
    }

    [Test]
    public void A_run_makes_no_garbage([Values(1, 2)] int threads)
    {
        using var pool = new WorkerPool(threads);
        var counts = stackalloc int[8];
        var job = new CountJob { Counts = counts, Threads = threads };
        for (var i = 0; i < 100; i++) pool.Run(ref job, 8);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) pool.Run(ref job, 8);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void An_exception_of_a_chunk_reaches_the_caller_as_it_was_thrown([Values(1, 2, 3)] int threads)
    {
        using var pool = new WorkerPool(threads);
        var job = new FailingJob();
        for (var round = 0; round < 20; round++)
            Assert.That(() => pool.Run(ref job, 50), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("chunk 17"));
        var counts = stackalloc int[4];
        var next = new CountJob { Counts = counts, Threads = threads };
        pool.Run(ref next, 4);
        Assert.That(counts[3], Is.EqualTo(1), "the pool works on after a failure");
    }

    [Test]
    public void A_run_inside_a_chunk_is_serial_and_keeps_the_worker([Values(1, 2, 4)] int threads)
    {
        using var pool = new WorkerPool(threads);
        var job = new NestedJob { Pool = pool };
        pool.Run(ref job, 64);
        Assert.That(job.Wrong, Is.Zero);
    }

    [Test]
    public void Callers_on_other_threads_wait_for_each_other()
    {
        using var pool = new WorkerPool(2);
        long total = 0;
        var callers = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            var counts = stackalloc int[16];
            for (var i = 0; i < 200; i++)
            {
                var job = new CountJob { Counts = counts, Threads = 2 };
                pool.Run(ref job, 16);
            }
            for (var i = 0; i < 16; i++) Interlocked.Add(ref total, counts[i]);
        })).ToArray();
        foreach (var caller in callers) caller.Start();
        foreach (var caller in callers) caller.Join();
        Assert.That(total, Is.EqualTo(4 * 200 * 16));
    }

    [Test]
    public void An_idle_pool_sleeps()
    {
        using var pool = new WorkerPool(4);
        var counts = stackalloc int[16];
        var job = new CountJob { Counts = counts, Threads = 4 };
        pool.Run(ref job, 16);
        // The state of each worker, not the time that the process burns: compiler and collector work in it too.
        Assert.That(() => pool.AllAsleep, Is.True.After(20_000, 5), "a worker still spins long after its last region");
        // And it wakes up again.
        for (var round = 2; round <= 20; round++)
        {
            pool.Run(ref job, 16);
            Assert.That(counts[15], Is.EqualTo(round));
            Assert.That(() => pool.AllAsleep, Is.True.After(20_000, 1));
        }
    }

    [Test]
    public void Disposing_ends_the_threads_and_may_be_repeated()
    {
        var pool = new WorkerPool(3);
        pool.Dispose();
        Assert.That(pool.Dispose, Throws.Nothing);
    }

    private struct CountJob : IJob
    {
        public int* Counts;
        public int Threads;

        public readonly void Execute(int chunk, int worker)
        {
            if ((uint)worker >= (uint)Threads) throw new InvalidOperationException($"Worker {worker} of {Threads}.");
            Interlocked.Increment(ref Counts[chunk]);
        }
    }

    private readonly struct FailingJob : IJob
    {
        public void Execute(int chunk, int worker)
        {
            if (chunk == 17) throw new InvalidDataException("chunk 17");
        }
    }

    private struct NestedJob : IJob
    {
        public WorkerPool Pool;
        public int Wrong;

        public void Execute(int chunk, int worker)
        {
            var counts = stackalloc int[5];
            var thread = Environment.CurrentManagedThreadId;
            var inner = new InnerJob { Counts = counts, Worker = worker, Thread = thread };
            Pool.Run(ref inner, 5);
            if (inner.Wrong > 0 || counts[0] + counts[4] != 2) Interlocked.Increment(ref Wrong);
        }
    }

    private struct InnerJob : IJob
    {
        public int* Counts;
        public int Worker, Thread, Wrong;

        public void Execute(int chunk, int worker)
        {
            Counts[chunk]++;
            if (worker != Worker || Environment.CurrentManagedThreadId != Thread) Wrong++;
        }
    }
}
