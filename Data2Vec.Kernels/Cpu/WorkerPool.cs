using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

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
/// Threads that spin for some tens of microseconds before they sleep: a parallel region costs less than a microsecond while
/// a step runs, and an idle process burns nothing. A call makes no garbage. The caller never waits for a thread that has
/// not started: a region is closed when its chunks are gone, and who comes late goes back to wait.
/// </summary>
internal sealed unsafe class WorkerPool : IDisposable
{
    // Normalised by the runtime to about 40 ns each, so about 50 microseconds in all.
    private const int Spins = 1200;

    // state = region number * Region + Open (while workers may enter) + workers inside.
    private const long Open = 1 << 16;
    private const long Region = 1 << 17;

    private const int Line = 128 / sizeof(int);

    private readonly Thread[] threads;
    // One per worker: from a common one a fast worker, asleep again, could take the wake-up of a slower one.
    private readonly SemaphoreSlim[] wake;
    private readonly int[] sleeping;
    private readonly Lock gate = new();
    private delegate*<void*, int, int, void> run;
    private void* job;
    // Next chunk of each worker's share, a cache line apart.
    private readonly int[] next;
    private int chunks;
    private long state;
    private bool stop;
    private Exception? failure;

    // Which worker of which pool this thread is while it executes a chunk.
    [ThreadStatic] private static WorkerPool? inside;
    [ThreadStatic] private static int self;

    /// <param name="threads">Workers in all, the caller included.</param>
    public WorkerPool(int threads)
    {
        Threads = Math.Clamp(threads, 1, (int)Open - 1);
        this.threads = new Thread[Threads - 1];
        wake = new SemaphoreSlim[Threads - 1];
        sleeping = new int[Threads - 1];
        next = new int[(Threads + 1) * Line];
        for (var i = 0; i < wake.Length; i++) wake[i] = new SemaphoreSlim(0);
        for (var i = 0; i < this.threads.Length; i++)
        {
            var worker = i + 1;
            this.threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"data2vec worker {worker}" };
            this.threads[i].Start();
        }
    }

    public int Threads { get; }

    /// <summary>True when every worker waits for its wake-up and uses no processor: what an idle pool comes to.</summary>
    public bool AllAsleep => threads.All(t => (t.ThreadState & ThreadState.WaitSleepJoin) != 0);

    /// <summary>
    /// Runs every chunk once, on the caller and the workers, and returns when all are done. A call from inside a chunk runs
    /// serially as the same worker; calls of other threads wait for each other. The first exception of a chunk reaches the
    /// caller as it was thrown; chunks not yet begun are then left out.
    /// </summary>
    public void Run<TJob>(ref TJob work, int count)
        where TJob : struct, IJob
    {
        if (inside == this)
        {
            for (var i = 0; i < count; i++) work.Execute(i, self);
            return;
        }
        lock (gate)
        {
            var (outer, outerSelf) = (inside, self);
            (inside, self) = (this, 0);
            try
            {
                if (count <= 1 || Threads == 1)
                {
                    for (var i = 0; i < count; i++) work.Execute(i, 0);
                }
                else
                {
                    Share(ref work, count);
                }
            }
            finally
            {
                (inside, self) = (outer, outerSelf);
            }
        }
    }

    /// <summary>Stops the threads and waits for their end; not to be called while a region runs.</summary>
    public void Dispose()
    {
        if (stop) return;
        Volatile.Write(ref stop, true);
        foreach (var semaphore in wake) semaphore.Release();
        foreach (var thread in threads) thread.Join();
        foreach (var semaphore in wake) semaphore.Dispose();
    }

    private void Share<TJob>(ref TJob work, int count)
        where TJob : struct, IJob
    {
        // A job may live in an object that the collector moves; a copy on this stack stays where it is.
        var here = work;
        run = &Chunk<TJob>;
        job = Unsafe.AsPointer(ref here);
        chunks = count;
        for (var i = 0; i < Threads; i++) next[Cursor(i)] = ShareStart(i);
        failure = null;
        // Nobody is inside a closed region, so adding cannot lose a worker. The full fence orders it before the read of
        // `sleeping`, as the worker orders its own write of `sleeping` before it reads the state.
        Interlocked.Add(ref state, Region + Open);
        var helpers = Math.Min(threads.Length, count - 1);
        for (var i = 0; i < helpers; i++)
            if (Volatile.Read(ref sleeping[i]) != 0) wake[i].Release();
        Take(0);
        Interlocked.Add(ref state, -Open);
        var spinner = default(SpinWait);
        while ((Volatile.Read(ref state) & (Open - 1)) != 0) spinner.SpinOnce(sleep1Threshold: -1);
        work = here;
        job = null;
        var thrown = failure;
        failure = null;
        if (thrown is not null) ExceptionDispatchInfo.Throw(thrown);
    }

    private static void Chunk<TJob>(void* job, int chunk, int worker)
        where TJob : struct, IJob => Unsafe.AsRef<TJob>(job).Execute(chunk, worker);

    private void Work(int worker)
    {
        (inside, self) = (this, worker);
        long seen = 0;
        while (true)
        {
            var spins = 0;
            while (Volatile.Read(ref state) / Region == seen && !Volatile.Read(ref stop))
            {
                if (spins++ < Spins)
                {
                    Thread.SpinWait(1);
                    continue;
                }
                Interlocked.Exchange(ref sleeping[worker - 1], 1);
                if (Volatile.Read(ref state) / Region == seen && !Volatile.Read(ref stop)) wake[worker - 1].Wait();
                Interlocked.Exchange(ref sleeping[worker - 1], 0);
            }
            if (Volatile.Read(ref stop)) return;
            var now = Volatile.Read(ref state);
            seen = now / Region;
            // Enter only while the region is open; afterwards its job is gone.
            while ((now & Open) != 0 && now / Region == seen)
            {
                var before = Interlocked.CompareExchange(ref state, now + 1, now);
                if (before == now)
                {
                    Take(worker);
                    Interlocked.Decrement(ref state);
                    break;
                }
                now = before;
            }
        }
    }

    /// <summary>
    /// The worker's own share first, then what is left of the others': the same rows of one operation after another meet the
    /// same processor's caches, and nobody idles while there is work.
    /// </summary>
    private void Take(int worker)
    {
        try
        {
            for (var i = 0; i < Threads; i++)
            {
                var owner = (worker + i) % Threads;
                ref var cursor = ref next[Cursor(owner)];
                var end = ShareStart(owner + 1);
                // Looking first: counting on would make a line travel for nothing, and in the end run over.
                while (Volatile.Read(ref cursor) < end && Interlocked.Increment(ref cursor) - 1 is var chunk && chunk < end)
                    run(job, chunk, worker);
            }
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref failure, e, null);
            for (var i = 0; i < Threads; i++) Volatile.Write(ref next[Cursor(i)], ShareStart(i + 1));
        }
    }

    private int ShareStart(int worker) => (int)((long)worker * chunks / Threads);

    private static int Cursor(int worker) => (worker + 1) * Line;
}
