using Data2Vec.Kernels.Ilgpu;
using ILGPU;
using ILGPU.Runtime;

namespace Data2Vec.Kernels;

/// <summary>
/// Every operation as a C# kernel that ILGPU compiles for its device: NVIDIA, OpenCL, or its own CPU accelerator (for
/// debugging: a thread of the host for each thread of a group). Storage is float32 or bfloat16, sums are float32. One
/// stream, no waiting but for <see cref="Download"/> and <see cref="Synchronize"/>, no float atomics: the bits do not change
/// from run to run.
/// </summary>
public sealed partial class IlgpuBackend : IBackend
{
    private readonly Context context;
    private readonly Accelerator accelerator;
    private readonly AcceleratorStream stream;
    private readonly IlgpuPool pool;
    private readonly PinnedRing staging;
    private readonly MemoryBuffer1D<Fault, Stride1D.Dense> fault;
    private Delegate?[] kernels = [];

    /// <param name="context">The ILGPU context; disposed with this backend.</param>
    /// <param name="accelerator">A device of that context; disposed with this backend.</param>
    internal IlgpuBackend(Context context, Accelerator accelerator)
    {
        this.context = context;
        this.accelerator = accelerator;
        stream = accelerator.CreateStream();
        pool = new IlgpuPool(accelerator);
        staging = new PinnedRing(accelerator, stream);
        fault = accelerator.Allocate1D<Fault>(1);
        fault.MemSetToZero(stream);
    }

    /// <inheritdoc/>
    public string Description => $"ilgpu ({accelerator.Name}, {accelerator.AcceleratorType.ToString().ToLowerInvariant()})";

    /// <inheritdoc/>
    public MemoryStatistics Memory => pool.Statistics;

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
    public void Upload(ReadOnlySpan<byte> source, BufferView target)
    {
        var view = View<byte>(target with { Offset = target.Offset * target.DType.Size(), DType = DType.UInt8 });
        for (var at = 0; at < source.Length;)
        {
            var part = staging.Take(source.Length - at);
            source.Slice(at, part.Length).CopyTo(part.Memory);
            part.CopyTo(view.SubView(at, part.Length));
            at += part.Length;
        }
    }

    /// <inheritdoc/>
    public unsafe void Download(BufferView source, Span<byte> target)
    {
        Synchronizations++;
        if (!target.IsEmpty)
        {
            var view = View<byte>(source with { Offset = source.Offset * source.DType.Size(), DType = DType.UInt8 });
            // ILGPU takes the address of what it is given and does not pin it: while the device is waited for, the collector
            // would move the caller's array away.
            fixed (byte* pinned = target)
            {
                view.SubView(0, target.Length).CopyToCPU(stream, ref *pinned, target.Length);
            }
        }
        stream.Synchronize();
        ThrowIfFaulty();
    }

    /// <inheritdoc/>
    public void Synchronize()
    {
        Synchronizations++;
        stream.Synchronize();
        ThrowIfFaulty();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stream.Synchronize();
        fault.Dispose();
        staging.Dispose();
        pool.Dispose();
        stream.Dispose();
        accelerator.Dispose();
        context.Dispose();
    }

    /// <summary>The elements of an operand, to the end of its buffer; an empty view for an absent one.</summary>
    internal static ArrayView<T> View<T>(BufferView view)
        where T : unmanaged
    {
        if (view.Buffer is null) return ArrayView<T>.Empty;
        ArrayView<byte> bytes = ((IlgpuBuffer)view.Buffer).Memory.View;
        var from = view.Offset * view.DType.Size();
        return bytes.SubView(from, bytes.Length - from).Cast<T>();
    }

    /// <summary>Queues a kernel; does nothing when there are no groups.</summary>
    private void Launch<TArgs>(KernelSource<TArgs> source, Index3D groups, int threads, in TArgs args)
        where TArgs : struct
    {
        if (groups.X == 0 || groups.Y == 0 || groups.Z == 0) return;
        var launch = (Action<AcceleratorStream, KernelConfig, TArgs>)Loaded(source);
        launch(stream, new KernelConfig(groups, new Index3D(threads, 1, 1)), args);
    }

    /// <summary>Queues an element-wise kernel whose threads loop over the grid.</summary>
    private void LaunchElements<TArgs>(KernelSource<TArgs> source, long count, in TArgs args)
        where TArgs : struct
    {
        var threads = GroupSize(count);
        // Enough groups to fill the device several times over; each thread then takes several elements.
        var most = (long)accelerator.NumMultiprocessors * 32;
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

    /// <summary>The launcher of a kernel, compiled when it is first asked for.</summary>
    private Delegate Loaded(KernelSource source)
    {
        if (source.Number < kernels.Length && kernels[source.Number] is { } known) return known;
        if (source.Number >= kernels.Length) Array.Resize(ref kernels, source.Number + 64);
        try
        {
            kernels[source.Number] = source.Load(accelerator);
        }
        catch (Exception e) when (e is InternalCompilerException or AcceleratorException or NotSupportedException)
        {
            throw new InvalidOperationException(
                $"The kernel {source.Name} does not compile for {accelerator.Name}: {(e.InnerException ?? e).Message}", e);
        }
        return kernels[source.Number]!;
    }

    /// <summary>Throws for the first bad index that a kernel has met since the last wait.</summary>
    private void ThrowIfFaulty()
    {
        var noted = default(Fault);
        ((ArrayView<Fault>)fault.View).CopyToCPU(stream, ref noted, 1);
        stream.Synchronize();
        if (noted.Op == 0) return;
        fault.MemSetToZero(stream);
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
