using System.Runtime.ExceptionServices;

namespace Data2Vec.Models.Data;

/// <summary>
/// Makes numbered items ahead of their use on worker threads and hands them out in order. What an item is depends on
/// its number alone (seed and step, say), never on the workers: their number changes the time, not the result.
/// </summary>
/// <remarks>
/// At most <c>capacity</c> items exist or are being made at any time. An exception of an item comes out of
/// <see cref="Next"/> when that item's turn comes, not before.
/// </remarks>
/// <typeparam name="T">Items; those never handed out are disposed of when they can be.</typeparam>
public sealed class Prefetcher<T> : IDisposable
{
    private readonly Func<long, CancellationToken, T> make;
    private readonly long end;
    private readonly Slot[] slots;
    private readonly Thread[] threads;
    private readonly CancellationTokenSource stop = new();
    // Guards all that follows; every change is announced to all that wait.
    private readonly object gate = new();
    private long next;
    private long claimed;
    private bool disposed;

    /// <summary>Starts the workers.</summary>
    /// <param name="make">
    /// Makes the item of a number. Called on several threads at once; a long one should heed the token, which is set
    /// when the prefetcher is disposed of.
    /// </param>
    /// <param name="first">Number of the first item.</param>
    /// <param name="end">One past the last; long.MaxValue for no end.</param>
    /// <param name="workers">Threads; 0 makes each item on the caller's thread when it is asked for.</param>
    /// <param name="capacity">Items that may be ready or under way, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public Prefetcher(
        Func<long, CancellationToken, T> make, long first, long end, int workers, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(end, first);
        ArgumentOutOfRangeException.ThrowIfNegative(workers);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        this.make = make;
        this.end = end;
        next = claimed = first;
        slots = new Slot[capacity];
        threads = new Thread[Math.Min(workers, capacity)];
        for (var i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Work) { IsBackground = true, Name = $"data2vec loader {i + 1}" };
            threads[i].Start();
        }
    }

    /// <summary>Number of the item that <see cref="Next"/> gives.</summary>
    public long Position
    {
        get { lock (gate) return next; }
    }

    /// <summary>The next item in order; waits for it. For one consumer.</summary>
    /// <exception cref="InvalidOperationException">There is none after the last.</exception>
    /// <exception cref="ObjectDisposedException">The prefetcher was disposed of, also while this waited.</exception>
    /// <remarks>
    /// When making the item threw, the same exception is thrown here, and the call after it gives the item that
    /// follows.
    /// </remarks>
    public T Next()
    {
        Slot slot;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (next >= end) throw new InvalidOperationException($"The prefetcher ends before item {end}.");
            if (threads.Length == 0) slot = default;
            else
            {
                ref var own = ref slots[next % slots.Length];
                while (!own.Ready)
                {
                    Monitor.Wait(gate);
                    ObjectDisposedException.ThrowIf(disposed, this);
                }
                slot = own;
                own = default;
            }
            next++;
            Monitor.PulseAll(gate);
        }
        if (threads.Length == 0) return make(Position - 1, stop.Token);
        slot.Failure?.Throw();
        return slot.Item!;
    }

    /// <summary>Stops the workers, waits for them, and disposes of what was made and never asked for.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (disposed) return;
            disposed = true;
            Monitor.PulseAll(gate);
        }
        stop.Cancel();
        foreach (var thread in threads) thread.Join();
        foreach (var slot in slots) (slot.Item as IDisposable)?.Dispose();
        Array.Clear(slots);
        stop.Dispose();
    }

    private void Work()
    {
        while (true)
        {
            long number;
            lock (gate)
            {
                while (!disposed && claimed < end && claimed - next >= slots.Length) Monitor.Wait(gate);
                if (disposed || claimed >= end) return;
                number = claimed++;
            }
            var slot = new Slot { Ready = true };
            try
            {
                slot.Item = make(number, stop.Token);
            }
            catch (Exception error)
            {
                slot.Failure = ExceptionDispatchInfo.Capture(error);
            }
            lock (gate)
            {
                slots[number % slots.Length] = slot;
                Monitor.PulseAll(gate);
            }
        }
    }

    private struct Slot
    {
        public bool Ready;
        public T? Item;
        public ExceptionDispatchInfo? Failure;
    }
}
