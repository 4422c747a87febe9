using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void LayerNorm(in LayerNormArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("LayerNorm", a.X.DType);

        void Run<T>(in LayerNormArgs a)
            where T : unmanaged, IElement<T>
        {
            var args = new LayerNormKernelArgs<T>
            {
                X = View<T>(a.X), Residual = View<T>(a.Residual), Gamma = View<T>(a.Gamma), Beta = View<T>(a.Beta),
                Y = View<T>(a.Y), Sum = View<T>(a.Sum), Mean = View<float>(a.Mean), Rstd = View<float>(a.Rstd), Columns = a.Columns,
                Eps = (float)a.Eps, Dropout = DeviceDropout.Of(a.Dropout), Activation = a.Activation,
                Fused = a.Dropout.IsActive || !a.Residual.IsNone ? 1 : 0,
            };
            var groups = new Index3D((int)a.Rows, 1, 1);
            if (InFours(a.Columns, a.X, a.Residual, a.Gamma, a.Beta, a.Y, args.Fused != 0 ? a.Sum : default)
                && a.Columns <= HeldRow.MostColumns)
            {
                Launch(LayerNormKernels<T>.Held, groups, HeldRow.Threads(a.Columns), args);
            }
            else
            {
                Launch(LayerNormKernels<T>.Forward, groups, GroupSize(a.Columns), args);
            }
        }
    }

    /// <summary>True when every row of every operand can be read four elements at a time.</summary>
    private static bool InFours(int columns, params ReadOnlySpan<BufferView> operands)
    {
        if (columns % 4 != 0) return false;
        foreach (var operand in operands)
            if (operand.Offset % 4 != 0) return false;
        return true;
    }
}

/// <summary>Operands as in <see cref="LayerNormArgs"/>.</summary>
internal struct LayerNormKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Residual, Gamma, Beta, Y, Sum;
    public ArrayView<float> Mean, Rstd;
    public DeviceDropout Dropout;
    public Activation Activation;
    public float Eps;
    public int Columns, Fused;
}

internal static class LayerNormKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        LayerNormKernels<Full>.Forward, LayerNormKernels<Full>.Held,
        LayerNormKernels<Brain>.Forward, LayerNormKernels<Brain>.Held,
        .. LayerNormBackwardKernels.All,
    ];
}

/// <summary>
/// A group takes a row. The variance is summed around the mean in a second pass, which also sums what rounding left of the
/// mean (Chan, Golub and LeVeque 1983): a large common offset costs no digits.
/// </summary>
internal static class LayerNormKernels<T>
    where T : unmanaged, IElement<T>
{
    /// <summary>Any width; what a thread has written to the sum, or x, is read again from the cache.</summary>
    public static readonly KernelSource<LayerNormKernelArgs<T>> Forward = new(
        $"layer_norm_fwd {KernelNames.Of<T>()}", Normalise);

    /// <summary>The row stays in registers, as in <see cref="HeldRow"/>.</summary>
    public static readonly KernelSource<LayerNormKernelArgs<T>> Held = new(
        $"layer_norm_fwd_held {KernelNames.Of<T>()}", NormaliseHeld);

    private static void Normalise(LayerNormKernelArgs<T> a)
    {
        var row = (long)Grid.IdxX * a.Columns;
        var s = a.Fused != 0 ? a.Sum : a.X;
        var sum = 0f;
        for (var c = Group.IdxX; c < a.Columns; c += Group.DimX)
        {
            if (a.Fused != 0) a.Sum[row + c] = default(T).Narrow(Added(a, row + c));
            sum += s[row + c].Widen();
        }
        var mean = RowReduction.Sum(sum) / a.Columns;
        float rest = 0, squares = 0;
        for (var c = Group.IdxX; c < a.Columns; c += Group.DimX)
        {
            var d = s[row + c].Widen() - mean;
            rest += d;
            squares += d * d;
        }
        RowReduction.Sum(ref rest, ref squares);
        rest /= a.Columns;
        var rstd = Finish(a, mean, rest, squares);
        for (var c = Group.IdxX; c < a.Columns; c += Group.DimX)
        {
            var h = (s[row + c].Widen() - mean - rest) * rstd;
            if (a.Gamma.Length != 0) h *= a.Gamma[c].Widen();
            if (a.Beta.Length != 0) h += a.Beta[c].Widen();
            a.Y[row + c] = default(T).Narrow(DeviceActivation.Apply(a.Activation, h));
        }
    }

    private static void NormaliseHeld(LayerNormKernelArgs<T> a)
    {
        var fours = a.Columns >> 2;
        var row = (long)Grid.IdxX * fours;
        int c0 = Group.IdxX, c1 = c0 + Group.DimX;
        Quad s0 = default, s1 = default;
        if (c0 < fours) s0 = Load(a, row + c0);
        if (c1 < fours) s1 = Load(a, row + c1);
        var mean = RowReduction.Sum(s0.Sum + s1.Sum) / a.Columns;
        float rest = 0, squares = 0;
        if (c0 < fours)
        {
            s0 -= mean;
            rest = s0.Sum;
            squares = s0.SumOfSquares;
        }
        if (c1 < fours)
        {
            s1 -= mean;
            rest += s1.Sum;
            squares += s1.SumOfSquares;
        }
        RowReduction.Sum(ref rest, ref squares);
        rest /= a.Columns;
        var rstd = Finish(a, mean, rest, squares);
        if (c0 < fours) Write(a, row, c0, (s0 - rest) * rstd);
        if (c1 < fours) Write(a, row, c1, (s1 - rest) * rstd);
    }

    /// <summary>Elements of s; they are rounded as backward will read them.</summary>
    private static Quad Load(in LayerNormKernelArgs<T> a, long at)
    {
        var s = Quad.Load(a.X, at);
        if (a.Fused == 0) return s;
        if (a.Dropout.IsActive) s *= a.Dropout.Factors(4 * at);
        if (a.Residual.Length != 0) s += Quad.Load(a.Residual, at);
        s = s.Rounded<T>();
        s.Store(a.Sum, at);
        return s;
    }

    private static void Write(in LayerNormKernelArgs<T> a, long row, int c, Quad h)
    {
        if (a.Gamma.Length != 0) h *= Quad.Load(a.Gamma, c);
        if (a.Beta.Length != 0) h += Quad.Load(a.Beta, c);
        DeviceActivation.Apply(a.Activation, h).Store(a.Y, row + c);
    }

    private static float Added(in LayerNormKernelArgs<T> a, long at)
    {
        var s = a.X[at].Widen() * a.Dropout.Factor(at);
        return a.Residual.Length != 0 ? s + a.Residual[at].Widen() : s;
    }

    /// <summary>Writes the statistics; gives the reciprocal deviation.</summary>
    private static float Finish(in LayerNormKernelArgs<T> a, float mean, float rest, float squares)
    {
        // Rounding can take the variance of equal numbers below 0.
        var variance = squares / a.Columns - rest * rest;
        var rstd = 1 / DeviceMath.Sqrt((variance < 0 ? 0 : variance) + a.Eps);
        if (Group.IsFirstThread)
        {
            if (a.Mean.Length != 0) a.Mean[Grid.IdxX] = mean + rest;
            if (a.Rstd.Length != 0) a.Rstd[Grid.IdxX] = rstd;
        }
        return rstd;
    }
}
