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
            where T : unmanaged, IElement<T> => LaunchElements(UnaryKernels<T>.Forward, a.Count, new UnaryKernelArgs<T>
            {
                Op = a.Op, X = View<T>(a.X), Y = View<T>(a.Y), Count = a.Count, A = (float)a.A, B = (float)a.B,
            });
    }

    /// <inheritdoc/>
    public void UnaryBackward(in UnaryBackwardArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("UnaryBackward", a.X.DType);

        void Run<T>(in UnaryBackwardArgs a)
            where T : unmanaged, IElement<T> => LaunchElements(UnaryKernels<T>.Backward, a.Count, new UnaryKernelArgs<T>
            {
                Op = a.Op, X = View<T>(a.X), DY = View<T>(a.DY), Y = View<T>(a.DX), Count = a.Count, A = (float)a.A,
                B = (float)a.B,
            });
    }
}

/// <summary>Operands as in <see cref="UnaryArgs"/>; backward writes its gradient to Y.</summary>
internal struct UnaryKernelArgs<T>
    where T : unmanaged
{
    public UnaryOp Op;
    public ArrayView<T> X, DY, Y;
    public long Count;
    public float A, B;
}

internal static class UnaryKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        UnaryKernels<Full>.Forward, UnaryKernels<Full>.Backward, UnaryKernels<Brain>.Forward, UnaryKernels<Brain>.Backward,
    ];
}

/// <summary>One thread takes elements a grid apart; the function is the same for all threads, so its switch costs little.</summary>
internal static class UnaryKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<UnaryKernelArgs<T>> Forward = new($"unary_fwd {KernelNames.Of<T>()}", Apply);

    public static readonly KernelSource<UnaryKernelArgs<T>> Backward = new($"unary_bwd {KernelNames.Of<T>()}", ApplySlope);

    private static void Apply(UnaryKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
            a.Y[i] = default(T).Narrow(DeviceFunctions.Apply(a.Op, a.X[i].Widen(), a.A, a.B));
    }

    private static void ApplySlope(UnaryKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
            a.Y[i] = default(T).Narrow(a.DY[i].Widen() * DeviceFunctions.Slope(a.Op, a.X[i].Widen(), a.A, a.B));
    }
}
