using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>
/// Every operation as a C# kernel that ILGPU compiles for its device: NVIDIA, OpenCL, or its own CPU accelerator (for
/// debugging: a thread of the host for each thread of a group). Storage is float32 or bfloat16, sums are float32. One
/// stream, no waiting but for <see cref="Download"/> and <see cref="Synchronize"/>, no float atomics: the bits do not change
/// from run to run.
/// </summary>
public sealed partial class IlgpuBackend : ICompilingBackend
{
    private readonly IKernelRuntime runtime;
    private readonly BufferPool<IlgpuBuffer> pool;
    private readonly IlgpuBuffer fault;

    /// <param name="runtime">The device; disposed with this backend.</param>
    internal IlgpuBackend(IKernelRuntime runtime)
    {
        this.runtime = runtime;
        pool = runtime.Pool;
        fault = pool.Allocate(Unsafe.SizeOf<Fault>());
        runtime.Clear(fault);
    }

    /// <inheritdoc/>
    public string Description => runtime.Description;

    /// <inheritdoc/>
    public MemoryStatistics Memory => pool.Statistics with
    {
        // The note of faults is nobody's tensor.
        OutstandingBuffers = pool.Statistics.OutstandingBuffers - 1,
        OutstandingBytes = pool.Statistics.OutstandingBytes - fault.Bytes,
    };

    /// <inheritdoc/>
    public bool Queues => true;

    /// <inheritdoc/>
    public long Synchronizations { get; private set; }

    /// <inheritdoc/>
    public bool Supports(DType type) => type != DType.Float64;

    /// <inheritdoc/>
    public bool Computes(DType type) => type is DType.Float32 or DType.BFloat16;

    /// <inheritdoc/>
    public DeviceBuffer Allocate(long bytes) => pool.Allocate(bytes);

    /// <inheritdoc/>
    public void Free(DeviceBuffer buffer) => pool.Free((IlgpuBuffer)buffer);

    /// <inheritdoc/>
    public void Upload(ReadOnlySpan<byte> source, BufferView target) =>
        runtime.Upload(source, (IlgpuBuffer)target.Buffer!, target.Offset * target.DType.Size());

    /// <inheritdoc/>
    public void Download(BufferView source, Span<byte> target)
    {
        Synchronizations++;
        if (target.IsEmpty) runtime.Synchronize();
        else runtime.Download((IlgpuBuffer)source.Buffer!, source.Offset * source.DType.Size(), target);
        ThrowIfFaulty();
    }

    /// <inheritdoc/>
    public void Synchronize()
    {
        Synchronizations++;
        runtime.Synchronize();
        ThrowIfFaulty();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        runtime.Synchronize();
        pool.Free(fault);
        runtime.Dispose();
    }

    /// <summary>Times of the device, for benchmarks.</summary>
    internal IQueueTiming Timing => runtime;

    /// <summary>Memory in which kernels note the first bad index: one <see cref="Fault"/>.</summary>
    internal IlgpuBuffer FaultNote => fault;

    private ArrayView<Fault> Faults => fault.View.SubView(0, Unsafe.SizeOf<Fault>()).Cast<Fault>();

    /// <summary>The elements of an operand, to the end of its buffer; an empty view for an absent one.</summary>
    internal static ArrayView<T> View<T>(BufferView view)
        where T : unmanaged
    {
        if (view.Buffer is null) return ArrayView<T>.Empty;
        var bytes = ((IlgpuBuffer)view.Buffer).View;
        var from = view.Offset * view.DType.Size();
        return bytes.SubView(from, bytes.Length - from).Cast<T>();
    }

    /// <summary>Queues a kernel; does nothing when there are no groups.</summary>
    private void Launch<TArgs>(KernelSource<TArgs> source, Index3D groups, int threads, in TArgs args)
        where TArgs : struct
    {
        if (groups.X == 0 || groups.Y == 0 || groups.Z == 0) return;
        runtime.Launch(source, groups, threads, args);
    }

    /// <summary>Queues an element-wise kernel whose threads loop over the grid.</summary>
    private void LaunchElements<TArgs>(KernelSource<TArgs> source, long count, in TArgs args)
        where TArgs : struct
    {
        var threads = GroupSize(count);
        // Enough groups to fill the device several times over; each thread then takes several elements.
        var most = (long)runtime.Multiprocessors * 32;
        Launch(source, new Index3D((int)Math.Min((count + threads - 1) / threads, most), 1, 1), threads, args);
    }

    /// <summary>Threads for a group that has so many elements to share: whole warps, at most the usual size.</summary>
    private static int GroupSize(long elements) =>
        (int)Math.Clamp((elements + 31) / 32 * 32, 32, RowReduction.GroupSize);

    /// <summary>
    /// The largest power of two, at most 16, that divides all numbers: kernels that only move bytes move so many at a time.
    /// </summary>
    private static int UnitOf(long a, long b = 0, long c = 0, long d = 0) =>
        1 << Math.Min(4, System.Numerics.BitOperations.TrailingZeroCount(a | b | c | d));

    /// <summary>Throws for the first bad index that a kernel has met since the last wait.</summary>
    private void ThrowIfFaulty()
    {
        var noted = default(Fault);
        runtime.Download(fault, 0, MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref noted, 1)));
        if (noted.Op == 0) return;
        runtime.Clear(fault);
        Throw((IndexedOp)noted.Op, noted);
    }

    /// <summary>Says of a fault what the other backends say of it.</summary>
    private static void Throw(IndexedOp op, in Fault noted)
    {
        int sample = (int)noted.Position, value = (int)noted.Index, limit = (int)noted.Limit;
        if (op == IndexedOp.Cast)
            throw new OverflowException($"Cast: the element at position {noted.Position} is {noted.Index}, which int32 cannot hold.");
        if (op == IndexedOp.CtcFrames) CtcLayout.CheckLengths(sample, value, limit - 1, 0, 0);
        else if (op == IndexedOp.CtcLabels) CtcLayout.CheckLengths(sample, 0, 0, value, limit - 1);
        else if (op == IndexedOp.CtcLabel) CtcLayout.CheckLabel(sample, value, limit);
        else RowIndex.Checked(op.ToString(), noted.Index, noted.Position, noted.Limit);
    }

    private static NotSupportedException NoSuchType(string op, DType type) =>
        new($"{op}: the ilgpu backend computes in float32 and bfloat16; got a {type.Name()} operand.");
}
