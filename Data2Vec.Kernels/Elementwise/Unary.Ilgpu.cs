using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Unary(in UnaryArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("Unary", a.X.DType);

        void Run<T>(in UnaryArgs a)
            where T : unmanaged, IElement<T> => LaunchElements(
                a.Op == UnaryOp.PowScalar ? UnaryKernels<T>.ForwardPower : UnaryKernels<T>.Forward, Chunk.Count(a.Count),
                new UnaryKernelArgs<T>
                {
                    Op = a.Op, X = View<T>(a.X), Y = View<T>(a.Y), Count = a.Count, Mode = Chunk.Mode(a.X, a.Y), A = (float)a.A,
                    B = (float)a.B, Exponent = a.A,
                });
    }

    /// <inheritdoc/>
    public void UnaryBackward(in UnaryBackwardArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("UnaryBackward", a.X.DType);

        void Run<T>(in UnaryBackwardArgs a)
            where T : unmanaged, IElement<T> => LaunchElements(
                a.Op == UnaryOp.PowScalar ? UnaryKernels<T>.BackwardPower : UnaryKernels<T>.Backward, Chunk.Count(a.Count),
                new UnaryKernelArgs<T>
                {
                    Op = a.Op, X = View<T>(a.X), DY = View<T>(a.DY), Y = View<T>(a.DX), Count = a.Count,
                    Mode = Chunk.Mode(a.X, a.DY, a.DX), A = (float)a.A, B = (float)a.B, Exponent = a.A,
                });
    }
}

/// <summary>Operands as in <see cref="UnaryArgs"/>; backward writes its gradient to Y.</summary>
internal struct UnaryKernelArgs<T>
    where T : unmanaged
{
    public UnaryOp Op;
    public int Mode;
    public ArrayView<T> X, DY, Y;
    public long Count;
    public float A, B;
    public double Exponent;
}

internal static class UnaryKernels
{
    public static IEnumerable<KernelSource> All => [.. Of<Full>(), .. Of<Brain>()];

    private static IEnumerable<KernelSource> Of<T>()
        where T : unmanaged, IElement<T> =>
    [
        UnaryKernels<T>.Forward, UnaryKernels<T>.ForwardPower, UnaryKernels<T>.Backward, UnaryKernels<T>.BackwardPower,
    ];
}

/// <summary>One thread takes chunks a grid apart; the function is the same for all threads, so its switch costs little.</summary>
internal static class UnaryKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<UnaryKernelArgs<T>> Forward = new($"unary_fwd {KernelNames.Of<T>()}", Apply);

    public static readonly KernelSource<UnaryKernelArgs<T>> ForwardPower = new($"unary_fwd_pow {KernelNames.Of<T>()}", ApplyPower);

    public static readonly KernelSource<UnaryKernelArgs<T>> Backward = new($"unary_bwd {KernelNames.Of<T>()}", ApplySlope);

    public static readonly KernelSource<UnaryKernelArgs<T>> BackwardPower =
        new($"unary_bwd_pow {KernelNames.Of<T>()}", ApplyPowerSlope);

    private static void Apply(UnaryKernelArgs<T> a)
    {
        for (var at = GridLoop.Start * 4; at < a.Count; at += GridLoop.Step * 4)
        {
            var x = Chunk.Load(a.X, at, a.Count - at, a.Mode);
            for (var lane = 0; lane < 4; lane++) x.Push(DeviceFunctions.Apply(a.Op, x.A, a.A, a.B));
            Chunk.Store(x, a.Y, at, a.Count - at, a.Mode);
        }
    }

    private static void ApplyPower(UnaryKernelArgs<T> a)
    {
        for (var at = GridLoop.Start * 4; at < a.Count; at += GridLoop.Step * 4)
        {
            var x = Chunk.Load(a.X, at, a.Count - at, a.Mode);
            for (var lane = 0; lane < 4; lane++) x.Push((float)DeviceFunctions.Power(x.A, a.Exponent));
            Chunk.Store(x, a.Y, at, a.Count - at, a.Mode);
        }
    }

    private static void ApplySlope(UnaryKernelArgs<T> a)
    {
        for (var at = GridLoop.Start * 4; at < a.Count; at += GridLoop.Step * 4)
        {
            var x = Chunk.Load(a.X, at, a.Count - at, a.Mode);
            var dy = Chunk.Load(a.DY, at, a.Count - at, a.Mode);
            for (var lane = 0; lane < 4; lane++)
            {
                dy.Push(dy.A * DeviceFunctions.Slope(a.Op, x.A, a.A, a.B));
                x.Push(0);
            }
            Chunk.Store(dy, a.Y, at, a.Count - at, a.Mode);
        }
    }

    private static void ApplyPowerSlope(UnaryKernelArgs<T> a)
    {
        for (var at = GridLoop.Start * 4; at < a.Count; at += GridLoop.Step * 4)
        {
            var x = Chunk.Load(a.X, at, a.Count - at, a.Mode);
            var dy = Chunk.Load(a.DY, at, a.Count - at, a.Mode);
            for (var lane = 0; lane < 4; lane++)
            {
                dy.Push((float)(dy.A * DeviceFunctions.PowerSlope(x.A, a.Exponent)));
                x.Push(0);
            }
            Chunk.Store(dy, a.Y, at, a.Count - at, a.Mode);
        }
    }
}
