using System.Runtime.InteropServices;

namespace Data2Vec.Kernels;

/// <summary>Memory of the host, 64-byte aligned, owned by a <see cref="HostPool"/>.</summary>
internal unsafe class HostBuffer : DeviceBuffer
{
    private readonly byte* memory;

    internal HostBuffer(byte* memory, long bytes, int sizeClass)
    {
        this.memory = memory;
        Bytes = bytes;
        SizeClass = sizeClass;
    }

    internal int SizeClass { get; }

    /// <summary>True between Allocate and Free.</summary>
    internal bool InUse { get; set; }

    /// <summary>Where the memory lies, for kernels that run on the host right now.</summary>
    internal virtual byte* Pointer => memory;

    internal byte* RawMemory => memory;
}

/// <summary>
/// Size-class pool of aligned host memory: four classes per power of two, freed buffers are handed out again with
/// their handle, so that a training step in its steady state neither allocates memory nor makes garbage.
/// </summary>
internal sealed unsafe class HostPool : IDisposable
{
    private const int Alignment = 64;

    private readonly Stack<HostBuffer>[] free = new Stack<HostBuffer>[SizeClasses.Count];
    private readonly Func<nint, long, int, HostBuffer> make;
    private readonly bool poison;
    private readonly Lock gate = new();
    private bool disposed;

    /// <param name="poison">Fill memory with NaN patterns when it is handed out, to expose reads before writes.</param>
    /// <param name="make">How to make a buffer object; null for plain ones.</param>
    public HostPool(bool poison, Func<nint, long, int, HostBuffer>? make = null)
    {
        this.poison = poison;
        this.make = make ?? (static (memory, bytes, sizeClass) => new HostBuffer((byte*)memory, bytes, sizeClass));
        for (var i = 0; i < free.Length; i++) free[i] = new Stack<HostBuffer>();
    }

    public MemoryStatistics Statistics { get; private set; }

    public HostBuffer Allocate(long bytes)
    {
        var (sizeClass, rounded) = SizeClasses.Of(bytes);
        HostBuffer buffer;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (!free[sizeClass].TryPop(out buffer!))
            {
                var memory = NativeMemory.AlignedAlloc((nuint)rounded, Alignment);
                if (memory is null)
                {
                    var (buffers, live, _, _) = Statistics;
                    throw new OutOfMemoryException(
                        $"The host could not give {rounded:N0} bytes; {live:N0} bytes are in {buffers} live buffers.");
                }
                buffer = make((nint)memory, rounded, sizeClass);
                Statistics = Statistics with { ReservedBytes = Statistics.ReservedBytes + rounded };
            }
            buffer.InUse = true;
            var outstanding = Statistics.OutstandingBytes + rounded;
            Statistics = Statistics with
            {
                OutstandingBuffers = Statistics.OutstandingBuffers + 1,
                OutstandingBytes = outstanding,
                PeakBytes = Math.Max(Statistics.PeakBytes, outstanding),
            };
        }
        if (poison) NativeMemory.Fill(buffer.RawMemory, (nuint)rounded, 0xFF);
        return buffer;
    }

    public void Free(HostBuffer buffer)
    {
        lock (gate)
        {
            if (!buffer.InUse) throw new InvalidOperationException("A buffer was freed twice.");
            buffer.InUse = false;
            Statistics = Statistics with
            {
                OutstandingBuffers = Statistics.OutstandingBuffers - 1,
                OutstandingBytes = Statistics.OutstandingBytes - buffer.Bytes,
            };
            free[buffer.SizeClass].Push(buffer);
        }
    }

    /// <summary>Gives pooled memory that nobody uses back to the system.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            foreach (var stack in free)
                while (stack.TryPop(out var buffer))
                    NativeMemory.AlignedFree(buffer.RawMemory);
        }
    }
}

/// <summary>What a backend's memory pool holds at the moment.</summary>
/// <param name="OutstandingBuffers">Buffers allocated and not freed.</param>
/// <param name="OutstandingBytes">Their bytes, rounded up to size classes.</param>
/// <param name="PeakBytes">The most that was outstanding at any time.</param>
/// <param name="ReservedBytes">Bytes taken from the system, in use or kept for the next allocation.</param>
public readonly record struct MemoryStatistics(
    int OutstandingBuffers, long OutstandingBytes, long PeakBytes, long ReservedBytes);
