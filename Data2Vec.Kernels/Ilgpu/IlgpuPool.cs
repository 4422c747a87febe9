using ILGPU.Runtime;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Size-class pool of device memory for one stream: what is freed is handed out again at once, because whoever gets it
/// queues its work behind that of the former owner.
/// </summary>
internal sealed class IlgpuPool : IDisposable
{
    private readonly Accelerator accelerator;
    private readonly Stack<IlgpuBuffer>[] free = new Stack<IlgpuBuffer>[SizeClasses.Count];
    private readonly HashSet<IlgpuBuffer> live = [];
    private readonly Lock gate = new();
    private bool disposed;

    public IlgpuPool(Accelerator accelerator)
    {
        this.accelerator = accelerator;
        for (var i = 0; i < free.Length; i++) free[i] = new Stack<IlgpuBuffer>();
    }

    public MemoryStatistics Statistics { get; private set; }

    /// <exception cref="OutOfMemoryException">The device has no more; the sentence says what is live.</exception>
    public IlgpuBuffer Allocate(long bytes)
    {
        var (sizeClass, rounded) = SizeClasses.Of(bytes);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (!free[sizeClass].TryPop(out var buffer)) buffer = Make(rounded, sizeClass);
            buffer.InUse = true;
            live.Add(buffer);
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

    public void Free(IlgpuBuffer buffer)
    {
        lock (gate)
        {
            if (!buffer.InUse) throw new InvalidOperationException("A buffer was freed twice.");
            buffer.InUse = false;
            live.Remove(buffer);
            Statistics = Statistics with
            {
                OutstandingBuffers = Statistics.OutstandingBuffers - 1,
                OutstandingBytes = Statistics.OutstandingBytes - buffer.Bytes,
            };
            if (disposed) buffer.Memory.Dispose();
            else free[buffer.SizeClass].Push(buffer);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            Trim();
        }
    }

    private IlgpuBuffer Make(long bytes, int sizeClass)
    {
        if (!TryMake(bytes, sizeClass, out var buffer))
        {
            // What lies unused in other classes may be enough.
            accelerator.Synchronize();
            Trim();
            if (!TryMake(bytes, sizeClass, out buffer)) throw new OutOfMemoryException(Shortage(bytes));
        }
        Statistics = Statistics with { ReservedBytes = Statistics.ReservedBytes + bytes };
        return buffer;
    }

    private bool TryMake(long bytes, int sizeClass, out IlgpuBuffer buffer)
    {
        try
        {
            buffer = new IlgpuBuffer(accelerator.Allocate1D<byte>(bytes), sizeClass);
            return true;
        }
        catch (Exception e) when (e is AcceleratorException or OutOfMemoryException or OverflowException)
        {
            buffer = null!;
            return false;
        }
    }

    private void Trim()
    {
        foreach (var stack in free)
        {
            while (stack.TryPop(out var buffer))
            {
                Statistics = Statistics with { ReservedBytes = Statistics.ReservedBytes - buffer.Bytes };
                buffer.Memory.Dispose();
            }
        }
    }

    private string Shortage(long bytes)
    {
        var largest = live.GroupBy(b => b.Bytes).OrderByDescending(g => g.Key * g.Count()).Take(5)
            .Select(g => $"{g.Count()} of {g.Key:N0}");
        return $"{accelerator.Name} could not give {bytes:N0} bytes of its {accelerator.MemorySize:N0}; "
            + $"{Statistics.OutstandingBytes:N0} bytes are in {Statistics.OutstandingBuffers} live buffers"
            + (live.Count == 0 ? "." : $", most of them in: {string.Join(", ", largest)}.");
    }
}
