using Data2Vec.Kernels.Ilgpu;
using ILGPU;
using IIndex = Data2Vec.Kernels.Ilgpu.IIndex;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Binary(in BinaryArgs a)
    {
        switch (a.X.DType)
        {
            case DType.Float32: Run<Full>(a); break;
            case DType.BFloat16: Run<Brain>(a); break;
            case DType.Int32: Whole<Index32>(a); break;
            case DType.Int64: Whole<Index64>(a); break;
            case DType.Bool or DType.UInt8: Whole<Index8>(a); break;
            default: throw NoSuchType("Binary", a.X.DType);
        }

        void Run<T>(in BinaryArgs a)
            where T : unmanaged, IElement<T>
        {
            var layout = new MergedLayout(a.Shape, a.XStrides, a.YStrides, default);
            var (x, y) = (a.X.At(layout.Lowest(layout.X)), a.Y.At(layout.Lowest(layout.Y)));
            var args = new BinaryKernelArgs<T>
            {
                Op = a.Op, X = View<T>(x), Y = View<T>(y), Layout = DeviceLayout.Of(layout), Count = a.Shape.Count,
                XMode = layout.ChunkMode(layout.X, x.Offset), YMode = layout.ChunkMode(layout.Y, y.Offset),
                ZMode = Chunk.Mode(a.Z),
            };
            if (a.Op >= BinaryOp.Equal) args.Holds = View<byte>(a.Z);
            else args.Z = View<T>(a.Z);
            if (a.Op >= BinaryOp.Equal) LaunchElements(BinaryKernels<T>.Comparison, args.Count, args);
            else if (a.Op == BinaryOp.Pow) LaunchElements(BinaryKernels<T>.Power, args.Count, args);
            else if (args.XMode < 0 || args.YMode < 0) LaunchElements(BinaryKernels<T>.Strided, args.Count, args);
            else LaunchElements(BinaryKernels<T>.Chunked, Chunk.Count(args.Count), args);
        }

        void Whole<T>(in BinaryArgs a)
            where T : unmanaged, IIndex
        {
            var layout = new MergedLayout(a.Shape, a.XStrides, a.YStrides, default);
            LaunchElements(EqualityKernels<T>.Forward, a.Shape.Count, new EqualityKernelArgs<T>
            {
                X = View<T>(a.X.At(layout.Lowest(layout.X))), Y = View<T>(a.Y.At(layout.Lowest(layout.Y))),
                Holds = View<byte>(a.Z), Count = a.Shape.Count, Layout = DeviceLayout.Of(layout),
                WhenEqual = a.Op == BinaryOp.Equal ? 1 : 0,
            });
        }
    }
}

/// <summary>Operands as in <see cref="BinaryArgs"/>; comparisons write to Holds instead of Z.</summary>
internal struct BinaryKernelArgs<T>
    where T : unmanaged
{
    public BinaryOp Op;
    public int XMode, YMode, ZMode;
    public ArrayView<T> X, Y, Z;
    public ArrayView<byte> Holds;
    public DeviceLayout Layout;
    public long Count;
}

/// <summary>Integers or bytes; WhenEqual is what equal ones give.</summary>
internal struct EqualityKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Y;
    public ArrayView<byte> Holds;
    public DeviceLayout Layout;
    public long Count;
    public int WhenEqual;
}

/// <summary>
/// Chunked takes four elements to a thread where the innermost dimension is dense or repeated on both sides, which covers
/// equal shapes, rows, columns and scalars; Strided takes any layout.
/// </summary>
internal static class BinaryKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<BinaryKernelArgs<T>> Chunked = new($"binary_fwd {KernelNames.Of<T>()}", ApplyChunked);

    public static readonly KernelSource<BinaryKernelArgs<T>> Strided = new($"binary_fwd_strided {KernelNames.Of<T>()}", ApplyStrided);

    public static readonly KernelSource<BinaryKernelArgs<T>> Power = new($"binary_fwd_pow {KernelNames.Of<T>()}", ApplyPower);

    public static readonly KernelSource<BinaryKernelArgs<T>> Comparison = new($"binary_fwd_compare {KernelNames.Of<T>()}", Compare);

    private static void ApplyChunked(BinaryKernelArgs<T> a)
    {
        for (var at = GridLoop.Start * 4; at < a.Count; at += GridLoop.Step * 4)
        {
            a.Layout.Offsets(at, out var ofX, out var ofY, out _);
            var x = Chunk.Load(a.X, ofX, a.Count - at, a.XMode);
            var y = Chunk.Load(a.Y, ofY, a.Count - at, a.YMode);
            for (var lane = 0; lane < 4; lane++)
            {
                x.Push(DeviceFunctions.Apply(a.Op, x.A, y.A));
                y.Push(0);
            }
            Chunk.Store(x, a.Z, at, a.Count - at, a.ZMode);
        }
    }

    private static void ApplyStrided(BinaryKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            a.Layout.Offsets(i, out var x, out var y, out _);
            a.Z[i] = default(T).Narrow(DeviceFunctions.Apply(a.Op, a.X[x].Widen(), a.Y[y].Widen()));
        }
    }

    private static void ApplyPower(BinaryKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            a.Layout.Offsets(i, out var x, out var y, out _);
            a.Z[i] = default(T).Narrow((float)DeviceMath.Pow(a.X[x].Widen(), a.Y[y].Widen()));
        }
    }

    private static void Compare(BinaryKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            a.Layout.Offsets(i, out var x, out var y, out _);
            a.Holds[i] = DeviceFunctions.Compare(a.Op, a.X[x].Widen(), a.Y[y].Widen()) ? (byte)1 : (byte)0;
        }
    }
}

/// <summary>Equal and NotEqual of what is no number.</summary>
internal static class EqualityKernels<T>
    where T : unmanaged, IIndex
{
    public static readonly KernelSource<EqualityKernelArgs<T>> Forward = new($"binary_fwd_equal {KernelNames.OfIndex<T>()}", Compare);

    private static void Compare(EqualityKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            a.Layout.Offsets(i, out var x, out var y, out _);
            a.Holds[i] = a.X[x].Value == a.Y[y].Value ? (byte)a.WhenEqual : (byte)(1 - a.WhenEqual);
        }
    }
}

internal static class BinaryKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        .. Of<Full>(), .. Of<Brain>(), EqualityKernels<Index8>.Forward, EqualityKernels<Index32>.Forward,
        EqualityKernels<Index64>.Forward,
    ];

    private static IEnumerable<KernelSource> Of<T>()
        where T : unmanaged, IElement<T> =>
    [
        BinaryKernels<T>.Chunked, BinaryKernels<T>.Strided, BinaryKernels<T>.Power, BinaryKernels<T>.Comparison,
        BinaryBackwardKernels<T>.Chunked, BinaryBackwardKernels<T>.Strided, BinaryBackwardKernels<T>.Power,
    ];
}
