using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void LayerNormBackward(in LayerNormBackwardArgs a)
    {
        if (a.Sum.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.Sum.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("LayerNormBackward", a.Sum.DType);

        void Run<T>(in LayerNormBackwardArgs a)
            where T : unmanaged, IElement<T>
        {
            var wantsSums = !a.DGamma.IsNone || !a.DBeta.IsNone;
            var chunkRows = RowChunks.RowsOf(a.Rows);
            var chunks = RowChunks.Count(a.Rows);
            var partial = wantsSums ? pool.Allocate(chunks * 2L * a.Columns * sizeof(float)) : null;
            var args = new LayerNormBackwardKernelArgs<T>
            {
                Sum = View<T>(a.Sum), Mean = View<float>(a.Mean), Rstd = View<float>(a.Rstd), Gamma = View<T>(a.Gamma),
                Beta = View<T>(a.Beta), DY = View<T>(a.DY), DX = View<T>(a.DX), DResidual = View<T>(a.DResidual), Rows = a.Rows,
                Columns = a.Columns, ChunkRows = chunkRows, Dropout = DeviceDropout.Of(a.Dropout), Activation = a.Activation,
                Partial = partial is null ? ArrayView<float>.Empty : View<float>(new BufferView(partial, 0, DType.Float32)),
            };
            if (InFours(a.Columns, a.Sum, a.Gamma, a.Beta, a.DY, a.DX, a.DResidual) && a.Columns <= HeldRow.MostColumns)
            {
                Launch(LayerNormBackwardKernels<T>.Held, new Index3D(chunks, 1, 1), HeldRow.Threads(a.Columns), args);
            }
            else
            {
                // The sums first: dx may be dy.
                var threads = GroupSize(a.Columns);
                var parts = (a.Columns + threads - 1) / threads;
                if (wantsSums) Launch(LayerNormBackwardKernels<T>.Sums, new Index3D(chunks, parts, 1), threads, args);
                if (!a.DX.IsNone || !a.DResidual.IsNone)
                    Launch(LayerNormBackwardKernels<T>.Rows, new Index3D((int)a.Rows, 1, 1), threads, args);
            }
            if (partial is null) return;
            AddPartials<T>(args.Partial, chunks, 2L * a.Columns, a.Columns, a.DGamma, a.AccumulateGamma);
            AddPartials<T>(
                args.Partial.SubView(a.Columns), chunks, 2L * a.Columns, a.Columns, a.DBeta, a.AccumulateBeta);
            pool.Free(partial);
        }
    }
}

/// <summary>Operands as in <see cref="LayerNormBackwardArgs"/>; partial sums lie as [chunks, 2, columns].</summary>
internal struct LayerNormBackwardKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> Sum, Gamma, Beta, DY, DX, DResidual;
    public ArrayView<float> Mean, Rstd, Partial;
    public DeviceDropout Dropout;
    public Activation Activation;
    public long Rows;
    public int Columns, ChunkRows;
}

internal static class LayerNormBackwardKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        LayerNormBackwardKernels<Full>.Rows, LayerNormBackwardKernels<Full>.Sums, LayerNormBackwardKernels<Full>.Held,
        LayerNormBackwardKernels<Brain>.Rows, LayerNormBackwardKernels<Brain>.Sums, LayerNormBackwardKernels<Brain>.Held,
    ];
}

internal static class LayerNormBackwardKernels<T>
    where T : unmanaged, IElement<T>
{
    /// <summary>dx and dresidual, any width: a group takes a row and reads it twice.</summary>
    public static readonly KernelSource<LayerNormBackwardKernelArgs<T>> Rows = new(
        $"layer_norm_bwd_rows {KernelNames.Of<T>()}", OfRow);

    /// <summary>What a chunk of rows adds to dgamma and dbeta, any width: a thread takes a column.</summary>
    public static readonly KernelSource<LayerNormBackwardKernelArgs<T>> Sums = new(
        $"layer_norm_bwd_sums {KernelNames.Of<T>()}", OfColumns);

    /// <summary>Both in one pass over a chunk of rows, which stay in registers; so do the sums of the columns.</summary>
    public static readonly KernelSource<LayerNormBackwardKernelArgs<T>> Held = new(
        $"layer_norm_bwd_held {KernelNames.Of<T>()}", OfChunk);

    private static void OfRow(LayerNormBackwardKernelArgs<T> a)
    {
        var row = (long)Grid.IdxX * a.Columns;
        float mean = a.Mean[Grid.IdxX], rstd = a.Rstd[Grid.IdxX];
        float meanG = 0, meanGH = 0;
        for (var c = Group.IdxX; c < a.Columns; c += Group.DimX)
        {
            var h = (a.Sum[row + c].Widen() - mean) * rstd;
            var g = Before(a, row, c, h);
            if (a.Gamma.Length != 0) g *= a.Gamma[c].Widen();
            meanG += g;
            meanGH += g * h;
        }
        RowReduction.Sum(ref meanG, ref meanGH);
        meanG /= a.Columns;
        meanGH /= a.Columns;
        for (var c = Group.IdxX; c < a.Columns; c += Group.DimX)
        {
            var h = (a.Sum[row + c].Widen() - mean) * rstd;
            var g = Before(a, row, c, h);
            if (a.Gamma.Length != 0) g *= a.Gamma[c].Widen();
            var ds = (g - meanG - h * meanGH) * rstd;
            if (a.DResidual.Length != 0) a.DResidual[row + c] = default(T).Narrow(ds);
            if (a.DX.Length != 0) a.DX[row + c] = default(T).Narrow(ds * a.Dropout.Factor(row + c));
        }
    }

    private static void OfColumns(LayerNormBackwardKernelArgs<T> a)
    {
        var c = Grid.IdxY * Group.DimX + Group.IdxX;
        if (c >= a.Columns) return;
        float dGamma = 0, dBeta = 0;
        var first = (long)Grid.IdxX * a.ChunkRows;
        for (var r = first; r < first + a.ChunkRows && r < a.Rows; r++)
        {
            var h = (a.Sum[r * a.Columns + c].Widen() - a.Mean[r]) * a.Rstd[r];
            var g = Before(a, r * a.Columns, c, h);
            dGamma += g * h;
            dBeta += g;
        }
        var at = Grid.IdxX * 2L * a.Columns + c;
        a.Partial[at] = dGamma;
        a.Partial[at + a.Columns] = dBeta;
    }

    private static void OfChunk(LayerNormBackwardKernelArgs<T> a)
    {
        var fours = a.Columns >> 2;
        int c0 = Group.IdxX, c1 = c0 + Group.DimX;
        bool has0 = c0 < fours, has1 = c1 < fours, scaled = a.Gamma.Length != 0;
        Quad gamma0 = default, gamma1 = default;
        if (scaled && has0) gamma0 = Quad.Load(a.Gamma, c0);
        if (scaled && has1) gamma1 = Quad.Load(a.Gamma, c1);
        Quad dGamma0 = default, dGamma1 = default, dBeta0 = default, dBeta1 = default;
        var first = (long)Grid.IdxX * a.ChunkRows;
        for (var r = first; r < first + a.ChunkRows && r < a.Rows; r++)
        {
            var row = r * fours;
            float mean = a.Mean[r], rstd = a.Rstd[r];
            float meanG = 0, meanGH = 0;
            Quad h0 = default, h1 = default, g0 = default, g1 = default;
            if (has0)
            {
                h0 = (Quad.Load(a.Sum, row + c0) - mean) * rstd;
                g0 = Before(a, row, c0, h0);
                dGamma0 += g0 * h0;
                dBeta0 += g0;
                if (scaled) g0 *= gamma0;
                meanG = g0.Sum;
                meanGH = (g0 * h0).Sum;
            }
            if (has1)
            {
                h1 = (Quad.Load(a.Sum, row + c1) - mean) * rstd;
                g1 = Before(a, row, c1, h1);
                dGamma1 += g1 * h1;
                dBeta1 += g1;
                if (scaled) g1 *= gamma1;
                meanG += g1.Sum;
                meanGH += (g1 * h1).Sum;
            }
            RowReduction.Sum(ref meanG, ref meanGH);
            meanG /= a.Columns;
            meanGH /= a.Columns;
            if (has0) Write(a, row + c0, (g0 - meanG - h0 * meanGH) * rstd);
            if (has1) Write(a, row + c1, (g1 - meanG - h1 * meanGH) * rstd);
        }
        if (a.Partial.Length == 0) return;
        var at = Grid.IdxX * 2L * a.Columns;
        Keep(a, at, c0, has0, dGamma0, dBeta0);
        Keep(a, at, c1, has1, dGamma1, dBeta1);
    }

    private static void Write(in LayerNormBackwardKernelArgs<T> a, long at, Quad ds)
    {
        if (a.DResidual.Length != 0) ds.Store(a.DResidual, at);
        if (a.DX.Length == 0) return;
        if (a.Dropout.IsActive) ds *= a.Dropout.Factors(4 * at);
        ds.Store(a.DX, at);
    }

    private static void Keep(in LayerNormBackwardKernelArgs<T> a, long at, int c, bool has, Quad dGamma, Quad dBeta)
    {
        if (!has) return;
        var partial = a.Partial.Cast<Quad>();
        partial[(at >> 2) + c] = dGamma;
        partial[((at + a.Columns) >> 2) + c] = dBeta;
    }

    /// <summary>The gradient before the activation, whose argument is computed again as the forward call did.</summary>
    private static float Before(in LayerNormBackwardKernelArgs<T> a, long row, int c, float h)
    {
        var dy = a.DY[row + c].Widen();
        if (a.Activation == Activation.None) return dy;
        if (a.Gamma.Length != 0) h *= a.Gamma[c].Widen();
        if (a.Beta.Length != 0) h += a.Beta[c].Widen();
        return dy * DeviceActivation.Slope(a.Activation, h);
    }

    private static Quad Before(in LayerNormBackwardKernelArgs<T> a, long row, int c, Quad h)
    {
        var dy = Quad.Load(a.DY, row + c);
        if (a.Activation == Activation.None) return dy;
        if (a.Gamma.Length != 0) h *= Quad.Load(a.Gamma, c);
        if (a.Beta.Length != 0) h += Quad.Load(a.Beta, c);
        return dy * DeviceActivation.Slope(a.Activation, h);
    }
}
