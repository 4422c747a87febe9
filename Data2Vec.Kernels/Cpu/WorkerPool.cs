using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Cpu;

/// <summary>A piece of parallel work, cut into chunks by its shape; chunks must not depend on each other.</summary>
internal interface IJob
{
    /// <summary>Does one chunk.</summary>
    /// <param name="chunk">0 to the number of chunks.</param>
    /// <param name="worker">0 (the caller) to threads - 1: for scratch memory only, never for what is computed.</param>
    void Execute(int chunk, int worker);
}

/// <summary>
/// Threads that wait by spinning for some tens of microseconds before they sleep: a parallel region costs less than a
/// microsecond while a step runs, and an idle process burns nothing. A call makes no garbage.
/// </summary>
internal sealed unsafe class WorkerPool : IDisposable
{
    private const int Spins = 4000;

    private readonly Thread[] threads;
    // One per worker: from a common one a fast worker, asleep again, could take the wake-up of a slower one.
    private readonly SemaphoreSlim[] wake;
    private readonly int[] sleeping;
    private readonly Lock gate = new();
    private delegate*<void*, int, int, void> run;
    private void* job;
    private int chunks, next, generation, busy;
    private bool stop;
    private Exception? failure;
    [ThreadStatic] private static bool inside;

    /// <param name="threads">Workers in all, the caller included.</param>
    public WorkerPool(int threads)
    {
        Threads = Math.Max(1, threads);
        this.threads = new Thread[Threads - 1];
        wake = new SemaphoreSlim[Threads - 1];
        sleeping = new int[Threads - 1];
        for (var i = 0; i < wake.Length; i++) wake[i] = new SemaphoreSlim(0);
        for (var i = 0; i < this.threads.Length; i++)
        {
            var worker = i + 1;
            this.threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"data2vec worker {worker}" };
            this.threads[i].Start();
        }
    }

    public int Threads { get; }

    /// <summary>Runs every chunk once, on the caller and the workers; a call from inside a chunk runs serially.</summary>
    public void Run<TJob>(ref TJob work, int count)
        where TJob : struct, IJob
    {
        if (count <= 1 || Threads == 1 || inside)
        {
            for (var i = 0; i < count; i++) work.Execute(i, 0);
            return;
        }
        lock (gate)
        {
            run = &Chunk<TJob>;
            job = Unsafe.AsPointer(ref work);
            chunks = count;
            next = 0;
            failure = null;
            busy = threads.Length;
            Interlocked.Increment(ref generation);
            for (var i = 0; i < wake.Length; i++)
                if (Volatile.Read(ref sleeping[i]) != 0) wake[i].Release();
            inside = true;
            try { Take(0); }
            finally { inside = false; }
            var spinner = default(SpinWait);
            while (Volatile.Read(ref busy) > 0) spinner.SpinOnce(sleep1Threshold: -1);
            if (failure is not null) throw new AggregateException(failure.Message, failure);
        }
    }

    public void Dispose()
    {
        stop = true;
        Interlocked.Increment(ref generation);
        foreach (var semaphore in wake) semaphore.Release();
        foreach (var thread in threads) thread.Join();
        foreach (var semaphore in wake) semaphore.Dispose();
    }

    private static void Chunk<TJob>(void* job, int chunk, int worker)
        where TJob : struct, IJob => Unsafe.AsRef<TJob>(job).Execute(chunk, worker);

    private void Work(int worker)
    {
        inside = true;
        var seen = 0;
        while (true)
        {
            for (var i = 0; Volatile.Read(ref generation) == seen; i++)
            {
                if (i < Spins)
                {
                    Thread.SpinWait(8);
                    continue;
                }
                Interlocked.Exchange(ref sleeping[worker - 1], 1);
                if (Volatile.Read(ref generation) == seen) wake[worker - 1].Wait();
                Interlocked.Exchange(ref sleeping[worker - 1], 0);
            }
            // Each run is a generation of its own, and the caller waits for all workers before the next: none is missed.
            seen++;
            if (stop) return;
            Take(worker);
            Interlocked.Decrement(ref busy);
        }
    }

    private void Take(int worker)
    {
        try
        {
            for (var i = Interlocked.Increment(ref next) - 1; i < chunks; i = Interlocked.Increment(ref next) - 1)
                run(job, i, worker);
        }
        catch (Exception e)
        {
            Volatile.Write(ref next, chunks);
            Interlocked.CompareExchange(ref failure, e, null);
        }
    }
}
