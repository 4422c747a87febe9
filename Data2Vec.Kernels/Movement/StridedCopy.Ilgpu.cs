using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void StridedCopy(in StridedCopyArgs a)
    {
        var count = a.Shape.Count;
        if (count == 0) return;
        var layout = new MergedLayout(a.Shape, a.XStrides, a.YStrides, default);
        var (x, y) = (a.X.At(layout.Lowest(layout.X)), a.Y.At(layout.Lowest(layout.Y)));
        var size = a.X.DType.Size();
        if (a.Accumulate)
        {
            if (a.X.DType == DType.BFloat16) Run(StridedAddKernels<Brain>.Forward, x, y, layout, count);
            else if (a.X.DType == DType.Float32) Run(StridedAddKernels<Full>.Forward, x, y, layout, count);
            else throw NoSuchType("StridedCopy", a.X.DType);
            return;
        }
        // Dense runs are moved in the widest transactions that fit.
        var unit = 16;
        while (unit > size && !layout.TryWiden(unit / size, x.Offset, y.Offset)) unit /= 2;
        count /= unit / size;
        switch (unit)
        {
            case 16: Run(StridedCopyKernels<Four<uint>>.Forward, x, y, layout, count); break;
            case 8: Move<ulong>(layout); break;
            case 4: Move<uint>(layout); break;
            case 2: Move<ushort>(layout); break;
            default: Move<byte>(layout); break;
        }

        void Move<T>(in MergedLayout layout)
            where T : unmanaged
        {
            if (!TryTranspose<T>(x, y, layout)) Run(StridedCopyKernels<T>.Forward, x, y, layout, count);
        }

        void Run<T>(KernelSource<StridedCopyKernelArgs<T>> kernel, BufferView x, BufferView y, in MergedLayout layout, long count)
            where T : unmanaged => LaunchElements(kernel, count, new StridedCopyKernelArgs<T>
            {
                X = View<T>(x), Y = View<T>(y), Layout = DeviceLayout.Of(layout), Count = count,
            });
    }

    /// <summary>Where x and y are dense along different dimensions, tiles of both go through shared memory.</summary>
    private bool TryTranspose<T>(BufferView x, BufferView y, in MergedLayout layout)
        where T : unmanaged
    {
        if (layout.Rank < 2 || layout.Y[0] != 1 || layout.X[0] is 1 or < 0 || layout.Extents[0] < 4) return false;
        var other = 1;
        while (other < layout.Rank && layout.X[other] != 1) other++;
        if (other == layout.Rank || layout.Y[other] < 0 || layout.Extents[other] < 4) return false;
        var args = new TransposeKernelArgs<T>
        {
            X = View<T>(x), Y = View<T>(y),
            Width = (int)layout.Extents[0], Height = (int)layout.Extents[other],
            XStride = layout.X[0], YStride = layout.Y[other],
        };
        args.TilesAcross = (args.Width + TransposeKernels.Tile - 1) / TransposeKernels.Tile;
        args.TilesDown = (args.Height + TransposeKernels.Tile - 1) / TransposeKernels.Tile;
        var rest = layout;
        rest.Remove(other);
        rest.Remove(0);
        long matrices = 1;
        for (var d = 0; d < rest.Rank; d++) matrices *= rest.Extents[d];
        args.Rest = DeviceLayout.Of(rest);
        args.Tiles = matrices * args.TilesAcross * args.TilesDown;
        Launch(TransposeKernels<T>.Forward, new((int)Math.Min(args.Tiles, 1 << 20), 1, 1), TransposeKernels.Threads, args);
        return true;
    }
}

/// <summary>Operands as in <see cref="StridedCopyArgs"/>; the elements may be several of the caller's.</summary>
internal struct StridedCopyKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Y;
    public DeviceLayout Layout;
    public long Count;
}

/// <summary>Copies, in the order of the shape; elements are bytes without a meaning.</summary>
internal static class StridedCopyKernels<T>
    where T : unmanaged
{
    public static readonly KernelSource<StridedCopyKernelArgs<T>> Forward =
        new($"strided_copy_fwd {KernelNames.OfSize<T>()}", Move);

    private static void Move(StridedCopyKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            a.Layout.Offsets(i, out var x, out var y, out _);
            a.Y[y] = a.X[x];
        }
    }
}

/// <summary>Additions, in the order of the shape; no element of y is visited twice.</summary>
internal static class StridedAddKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<StridedCopyKernelArgs<T>> Forward = new($"strided_copy_fwd_add {KernelNames.Of<T>()}", Add);

    private static void Add(StridedCopyKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            a.Layout.Offsets(i, out var x, out var y, out _);
            a.Y[y] = default(T).Narrow(a.Y[y].Widen() + a.X[x].Widen());
        }
    }
}

internal static class StridedCopyKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        StridedCopyKernels<byte>.Forward, StridedCopyKernels<ushort>.Forward, StridedCopyKernels<uint>.Forward,
        StridedCopyKernels<ulong>.Forward, StridedCopyKernels<Four<uint>>.Forward,
        StridedAddKernels<Full>.Forward, StridedAddKernels<Brain>.Forward,
        TransposeKernels<byte>.Forward, TransposeKernels<ushort>.Forward, TransposeKernels<uint>.Forward,
        TransposeKernels<ulong>.Forward,
    ];
}
