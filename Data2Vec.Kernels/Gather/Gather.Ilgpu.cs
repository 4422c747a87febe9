using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Gather(in GatherArgs a)
    {
        switch (a.X.DType.Size())
        {
            case 8: Run<ulong>(a); break;
            case 4: Run<uint>(a); break;
            case 2: Run<ushort>(a); break;
            default: Run<byte>(a); break;
        }

        void Run<T>(in GatherArgs a)
            where T : unmanaged
        {
            var strides = a.Source.Strides;
            var step = strides[a.Dimension];
            strides[a.Dimension] = 0;
            LaunchElements(GatherKernels<T>.Forward, a.Shape.Count, new GatherKernelArgs<T>
            {
                X = View<T>(a.X), Y = View<T>(a.Y), Index = DeviceIndices.Of(a.Index), Fault = Faults,
                Layout = DeviceLayout.Of(a.Shape, strides, default, default), Count = a.Shape.Count, Step = step,
                Limit = a.Source[a.Dimension],
            });
        }
    }

    /// <inheritdoc/>
    public void Scatter(in ScatterArgs a)
    {
        if (a.Accumulate)
        {
            if (a.X.DType == DType.BFloat16) Run(ScatterElementAddKernels<Brain>.Forward, a);
            else if (a.X.DType == DType.Float32) Run(ScatterElementAddKernels<Full>.Forward, a);
            else throw NoSuchType("Scatter", a.X.DType);
            return;
        }
        switch (a.X.DType.Size())
        {
            case 8: Run(ScatterKernels<ulong>.Forward, a); break;
            case 4: Run(ScatterKernels<uint>.Forward, a); break;
            case 2: Run(ScatterKernels<ushort>.Forward, a); break;
            default: Run(ScatterKernels<byte>.Forward, a); break;
        }

        void Run<T>(KernelSource<ScatterKernelArgs<T>> kernel, in ScatterArgs a)
            where T : unmanaged
        {
            var (own, whole) = (a.Shape.Strides, a.Target.Strides);
            var args = new ScatterKernelArgs<T>
            {
                X = View<T>(a.X), Y = View<T>(a.Y), Index = DeviceIndices.Of(a.Index), Fault = Faults,
                Step = own[a.Dimension], WholeStep = whole[a.Dimension], Length = a.Shape[a.Dimension],
                Limit = a.Target[a.Dimension],
            };
            var lines = a.Shape.With(a.Dimension, 1);
            args.Lines = lines.Count;
            args.Layout = DeviceLayout.Of(lines, own, whole, default);
            var threads = GroupSize(args.Lines);
            // Where lines are few, threads that share one divide the places of the target among themselves.
            var shares = (int)Math.Clamp(Math.Min(args.Length / 8, 65536 / Math.Max(1, args.Lines)), 1, 512);
            if (args.Length > 0) Launch(kernel, new((int)((args.Lines + threads - 1) / threads), shares, 1), threads, args);
        }
    }
}

/// <summary>Operands as in <see cref="GatherArgs"/>; the layout gives the line of x, Step leads along it.</summary>
internal struct GatherKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Y;
    public DeviceIndices Index;
    public ArrayView<Fault> Fault;
    public DeviceLayout Layout;
    public long Count, Step, Limit;
}

/// <summary>Operands as in <see cref="ScatterArgs"/>; the layout gives where a line begins in x and in y.</summary>
internal struct ScatterKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Y;
    public DeviceIndices Index;
    public ArrayView<Fault> Fault;
    public DeviceLayout Layout;
    public long Lines, Step, WholeStep;
    public int Length, Limit;

    /// <summary>True when element number i of a line, which stands at p, goes to a place of this thread.</summary>
    public readonly bool Owns(long p, out long index)
    {
        index = Index[p];
        return Kernels.Ilgpu.Fault.Admits(Fault, IndexedOp.Scatter, index, p, Limit)
            && (uint)index % (uint)Grid.DimY == (uint)Grid.IdxY;
    }
}

internal static class GatherKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        GatherKernels<byte>.Forward, GatherKernels<ushort>.Forward, GatherKernels<uint>.Forward, GatherKernels<ulong>.Forward,
        ScatterKernels<byte>.Forward, ScatterKernels<ushort>.Forward, ScatterKernels<uint>.Forward, ScatterKernels<ulong>.Forward,
        ScatterElementAddKernels<Full>.Forward, ScatterElementAddKernels<Brain>.Forward,
    ];
}

/// <summary>One element to a thread, in the order of y; elements are bytes without a meaning.</summary>
internal static class GatherKernels<T>
    where T : unmanaged
{
    public static readonly KernelSource<GatherKernelArgs<T>> Forward = new($"gather_fwd {KernelNames.OfSize<T>()}", Move);

    private static void Move(GatherKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            var index = a.Index[i];
            if (!Fault.Admits(a.Fault, IndexedOp.Gather, index, i, a.Limit))
            {
                // Who reads on before the fault is told meets no memory that was never written.
                a.Y[i] = default;
                continue;
            }
            a.Layout.Offsets(i, out var line, out _, out _);
            a.Y[i] = a.X[line + index * a.Step];
        }
    }
}

/// <summary>
/// A thread owns some places of a line and walks the line in order, so of equal indices the last wins; elements are bytes
/// without a meaning.
/// </summary>
internal static class ScatterKernels<T>
    where T : unmanaged
{
    public static readonly KernelSource<ScatterKernelArgs<T>> Forward = new($"scatter_fwd {KernelNames.OfSize<T>()}", Move);

    private static void Move(ScatterKernelArgs<T> a)
    {
        var line = GridLoop.Start;
        if (line >= a.Lines) return;
        a.Layout.Offsets(line, out var from, out var to, out _);
        for (var i = 0; i < a.Length; i++, from += a.Step)
            if (a.Owns(from, out var index)) a.Y[to + index * a.WholeStep] = a.X[from];
    }
}

/// <summary>As <see cref="ScatterKernels{T}"/>, adding in the order of the line.</summary>
internal static class ScatterElementAddKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<ScatterKernelArgs<T>> Forward = new($"scatter_fwd_add {KernelNames.Of<T>()}", Add);

    private static void Add(ScatterKernelArgs<T> a)
    {
        var line = GridLoop.Start;
        if (line >= a.Lines) return;
        a.Layout.Offsets(line, out var from, out var to, out _);
        for (var i = 0; i < a.Length; i++, from += a.Step)
        {
            if (!a.Owns(from, out var index)) continue;
            var at = to + index * a.WholeStep;
            a.Y[at] = default(T).Narrow(a.Y[at].Widen() + a.X[from].Widen());
        }
    }
}
