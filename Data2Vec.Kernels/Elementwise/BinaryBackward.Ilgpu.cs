using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void BinaryBackward(in BinaryBackwardArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("BinaryBackward", a.X.DType);

        void Run<T>(in BinaryBackwardArgs a)
            where T : unmanaged, IElement<T>
        {
            var layout = new MergedLayout(a.Shape, a.XStrides, a.YStrides, default);
            var (x, y) = (a.X.At(layout.Lowest(layout.X)), a.Y.At(layout.Lowest(layout.Y)));
            var args = new BinaryBackwardKernelArgs<T>
            {
                Op = a.Op, X = View<T>(x), Y = View<T>(y), DZ = View<T>(a.DZ), DX = View<T>(a.DX), DY = View<T>(a.DY),
                Layout = DeviceLayout.Of(layout), Count = a.Shape.Count,
                XMode = layout.ChunkMode(layout.X, x.Offset), YMode = layout.ChunkMode(layout.Y, y.Offset),
                DMode = Chunk.Mode(a.DZ, a.DX, a.DY),
            };
            if (a.Op == BinaryOp.Pow) LaunchElements(BinaryBackwardKernels<T>.Power, args.Count, args);
            else if (args.XMode < 0 || args.YMode < 0) LaunchElements(BinaryBackwardKernels<T>.Strided, args.Count, args);
            else LaunchElements(BinaryBackwardKernels<T>.Chunked, Chunk.Count(args.Count), args);
        }
    }
}

/// <summary>Operands as in <see cref="BinaryBackwardArgs"/>; an absent gradient is an empty view.</summary>
internal struct BinaryBackwardKernelArgs<T>
    where T : unmanaged
{
    public BinaryOp Op;
    public int XMode, YMode, DMode;
    public ArrayView<T> X, Y, DZ, DX, DY;
    public DeviceLayout Layout;
    public long Count;
}

/// <summary>As <see cref="BinaryKernels{T}"/>.</summary>
internal static class BinaryBackwardKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<BinaryBackwardKernelArgs<T>> Chunked = new($"binary_bwd {KernelNames.Of<T>()}", ApplyChunked);

    public static readonly KernelSource<BinaryBackwardKernelArgs<T>> Strided =
        new($"binary_bwd_strided {KernelNames.Of<T>()}", ApplyStrided);

    public static readonly KernelSource<BinaryBackwardKernelArgs<T>> Power = new($"binary_bwd_pow {KernelNames.Of<T>()}", ApplyPower);

    private static void ApplyChunked(BinaryBackwardKernelArgs<T> a)
    {
        for (var at = GridLoop.Start * 4; at < a.Count; at += GridLoop.Step * 4)
        {
            a.Layout.Offsets(at, out var ofX, out var ofY, out _);
            var left = a.Count - at;
            var x = Chunk.Load(a.X, ofX, left, a.XMode);
            var y = Chunk.Load(a.Y, ofY, left, a.YMode);
            var dz = Chunk.Load(a.DZ, at, left, a.DMode);
            for (var lane = 0; lane < 4; lane++)
            {
                DeviceFunctions.Slopes(a.Op, x.A, y.A, out var byX, out var byY);
                x.Push(byX * dz.A);
                y.Push(byY * dz.A);
                dz.Push(0);
            }
            if (a.DX.Length != 0) Chunk.Store(x, a.DX, at, left, a.DMode);
            if (a.DY.Length != 0) Chunk.Store(y, a.DY, at, left, a.DMode);
        }
    }

    private static void ApplyStrided(BinaryBackwardKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            a.Layout.Offsets(i, out var x, out var y, out _);
            DeviceFunctions.Slopes(a.Op, a.X[x].Widen(), a.Y[y].Widen(), out var byX, out var byY);
            var dz = a.DZ[i].Widen();
            if (a.DX.Length != 0) a.DX[i] = default(T).Narrow(byX * dz);
            if (a.DY.Length != 0) a.DY[i] = default(T).Narrow(byY * dz);
        }
    }

    private static void ApplyPower(BinaryBackwardKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            a.Layout.Offsets(i, out var x, out var y, out _);
            DeviceFunctions.PowerSlopes(a.X[x].Widen(), a.Y[y].Widen(), out var byX, out var byY);
            var dz = a.DZ[i].Widen();
            if (a.DX.Length != 0) a.DX[i] = default(T).Narrow((float)(byX * dz));
            if (a.DY.Length != 0) a.DY[i] = default(T).Narrow((float)(byY * dz));
        }
    }
}
