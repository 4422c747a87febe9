using System.Runtime.InteropServices;

namespace Data2Vec.Kernels;

/// <summary>
/// A backend for tests: another host backend behind opaque handles, whose queue runs only at a synchronisation. It
/// behaves like a GPU without one: freed memory is poisoned when its turn comes, a host pointer taken outside the queue
/// throws, and waits are counted. What passes here keeps the promises of <see cref="IBackend"/> about order and memory.
/// </summary>
public sealed unsafe partial class DelayedBackend : IBackend
{
    private readonly IBackend inner;
    private readonly HostPool pool;
    private readonly Queue<Action> queue = new();
    private bool executing;

    /// <param name="inner">The backend that does the work; its memory must be the host's. Disposed with this one.</param>
    public DelayedBackend(IBackend inner)
    {
        this.inner = inner;
        pool = new HostPool(poison: true, (memory, bytes, sizeClass) => new Buffer(this, memory, bytes, sizeClass));
    }

    /// <summary>Runs one operation later, on a copy of its arguments.</summary>
    private delegate void Operation<TArgs>(IBackend backend, in TArgs args);

    /// <inheritdoc/>
    public string Description => $"delayed ({inner.Description})";

    /// <inheritdoc/>
    public MemoryStatistics Memory => pool.Statistics;

    /// <inheritdoc/>
    public bool Queues => true;

    /// <inheritdoc/>
    public long Synchronizations { get; private set; }

    /// <inheritdoc/>
    public bool Supports(DType type) => inner.Supports(type);

    /// <inheritdoc/>
    public bool Computes(DType type) => inner.Computes(type);

    /// <inheritdoc/>
    public DeviceBuffer Allocate(long bytes) => pool.Allocate(bytes);

    /// <inheritdoc/>
    public void Free(DeviceBuffer buffer)
    {
        var b = (Buffer)buffer;
        if (b.Doomed || !b.InUse) throw new InvalidOperationException("A buffer was freed twice.");
        b.Doomed = true;
        queue.Enqueue(() =>
        {
            NativeMemory.Fill(b.Pointer, (nuint)b.Bytes, 0xFF);
            b.Doomed = false;
            pool.Free(b);
        });
    }

    /// <inheritdoc/>
    public void Upload(ReadOnlySpan<byte> source, BufferView target)
    {
        var copy = source.ToArray();
        queue.Enqueue(() => HostTransfer.Upload(copy, target));
    }

    /// <inheritdoc/>
    public void Download(BufferView source, Span<byte> target)
    {
        Synchronize();
        executing = true;
        try { HostTransfer.Download(source, target); }
        finally { executing = false; }
    }

    /// <inheritdoc/>
    public void Synchronize()
    {
        Synchronizations++;
        executing = true;
        try
        {
            while (queue.TryDequeue(out var work)) work();
        }
        finally
        {
            executing = false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Synchronize();
        inner.Dispose();
        pool.Dispose();
    }

    private void Defer<TArgs>(in TArgs args, Operation<TArgs> operation)
        where TArgs : struct
    {
        var copy = args;
        queue.Enqueue(() => operation(inner, in copy));
    }

    private sealed class Buffer(DelayedBackend owner, nint memory, long bytes, int sizeClass)
        : HostBuffer((byte*)memory, bytes, sizeClass)
    {
        /// <summary>True between a call of Free and its turn in the queue.</summary>
        public bool Doomed { get; set; }

        internal override byte* Pointer => owner.executing
            ? base.Pointer
            : throw new InvalidOperationException("A host pointer was taken outside the queue of the device.");
    }
}
