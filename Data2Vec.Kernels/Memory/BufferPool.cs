namespace Data2Vec.Kernels;

/// <summary>A buffer that a <see cref="BufferPool{TBuffer}"/> owns.</summary>
internal abstract class PooledBuffer : DeviceBuffer
{
    /// <summary>Its class in <see cref="SizeClasses"/>.</summary>
    public int SizeClass { get; protected init; }

    /// <summary>How many its pool had made before it.</summary>
    public long Number { get; set; }

    /// <summary>True between Allocate and Free.</summary>
    public bool InUse { get; set; }
}

/// <summary>
/// Memory in size classes, for one queue of work: what is freed is handed out again at once with its handle, because whoever
/// gets it queues its work behind that of the former owner. A training step in its steady state neither allocates memory nor
/// makes garbage.
/// </summary>
internal abstract class BufferPool<TBuffer> : IDisposable
    where TBuffer : PooledBuffer
{
    private const int LargestNamed = 5;

    private static readonly Comparison<TBuffer> OldestLast = (a, b) => b.Number.CompareTo(a.Number);

    private readonly List<TBuffer>[] free = new List<TBuffer>[SizeClasses.Count];
    private readonly (int Count, long Bytes)[] live = new (int, long)[SizeClasses.Count];
    private readonly Lock gate = new();
    private bool disposed;
    private long made;

    protected BufferPool()
    {
        for (var i = 0; i < free.Length; i++) free[i] = [];
    }

    /// <summary>What is out, what is kept.</summary>
    public MemoryStatistics Statistics { get; private set; }

    /// <summary>Whose memory it is, for messages.</summary>
    protected abstract string Owner { get; }

    /// <exception cref="OutOfMemoryException">There is no more; the sentence says what is live.</exception>
    public TBuffer Allocate(long bytes)
    {
        var (sizeClass, rounded) = SizeClasses.Of(bytes);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            var buffer = TryTake(free[sizeClass]) ?? Make(rounded, sizeClass);
            buffer.InUse = true;
            HandOut(buffer, bytes);
            live[sizeClass] = (live[sizeClass].Count + 1, rounded);
            var outstanding = Statistics.OutstandingBytes + rounded;
            Statistics = Statistics with
            {
                OutstandingBuffers = Statistics.OutstandingBuffers + 1,
                OutstandingBytes = outstanding,
                PeakBytes = Math.Max(Statistics.PeakBytes, outstanding),
            };
            return buffer;
        }
    }

    public void Free(TBuffer buffer)
    {
        lock (gate)
        {
            if (!buffer.InUse) throw new InvalidOperationException("A buffer was freed twice.");
            buffer.InUse = false;
            live[buffer.SizeClass].Count--;
            Statistics = Statistics with
            {
                OutstandingBuffers = Statistics.OutstandingBuffers - 1,
                OutstandingBytes = Statistics.OutstandingBytes - buffer.Bytes,
            };
            if (disposed) Release(buffer);
            else free[buffer.SizeClass].Add(buffer);
        }
    }

    /// <summary>
    /// From here on free buffers are handed out oldest first, in whatever order they were freed: the same requests get the
    /// same memory.
    /// </summary>
    public void Settle()
    {
        lock (gate)
        {
            foreach (var stack in free) stack.Sort(OldestLast);
        }
    }

    /// <summary>Gives memory that nobody uses back to the system.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            Trim();
        }
    }

    /// <summary>Takes memory from the system; null when it has no more.</summary>
    protected abstract TBuffer? TryMake(long bytes, int sizeClass);

    /// <summary>Gives the memory of a buffer back to the system.</summary>
    protected abstract void Release(TBuffer buffer);

    /// <summary>A buffer is handed out for so many bytes: for devices that check what is done with them.</summary>
    protected virtual void HandOut(TBuffer buffer, long bytes)
    {
    }

    /// <summary>Returns when no queued work uses freed buffers any more.</summary>
    protected virtual void Wait()
    {
    }

    private static TBuffer? TryTake(List<TBuffer> stack)
    {
        if (stack.Count == 0) return null;
        var buffer = stack[^1];
        stack.RemoveAt(stack.Count - 1);
        return buffer;
    }

    private TBuffer Make(long bytes, int sizeClass)
    {
        var buffer = TryMake(bytes, sizeClass);
        if (buffer is null)
        {
            // What lies unused in other classes may be enough.
            Wait();
            Trim();
            buffer = TryMake(bytes, sizeClass) ?? throw new OutOfMemoryException(Shortage(bytes));
        }
        buffer.Number = made++;
        Statistics = Statistics with { ReservedBytes = Statistics.ReservedBytes + bytes };
        return buffer;
    }

    private void Trim()
    {
        foreach (var stack in free)
        {
            while (TryTake(stack) is { } buffer)
            {
                Statistics = Statistics with { ReservedBytes = Statistics.ReservedBytes - buffer.Bytes };
                Release(buffer);
            }
        }
    }

    private string Shortage(long bytes)
    {
        var largest = live.Where(l => l.Count > 0).OrderByDescending(l => l.Bytes * l.Count).Take(LargestNamed)
            .Select(l => $"{l.Count} of {l.Bytes:N0}");
        return $"{Owner} could not give {bytes:N0} bytes; {Statistics.OutstandingBytes:N0} bytes are in "
            + $"{Statistics.OutstandingBuffers} live buffers"
            + (Statistics.OutstandingBuffers == 0 ? "." : $", most of them in: {string.Join(", ", largest)}.");
    }
}

/// <summary>What a backend's memory pool holds at the moment.</summary>
/// <param name="OutstandingBuffers">Buffers allocated and not freed.</param>
/// <param name="OutstandingBytes">Their bytes, rounded up to size classes.</param>
/// <param name="PeakBytes">The most that was outstanding at any time.</param>
/// <param name="ReservedBytes">Bytes taken from the system, in use or kept for the next allocation.</param>
public readonly record struct MemoryStatistics(
    int OutstandingBuffers, long OutstandingBytes, long PeakBytes, long ReservedBytes);
