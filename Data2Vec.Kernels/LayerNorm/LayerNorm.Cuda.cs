using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void LayerNorm(in LayerNormArgs a)
    {
        var type = ElementOf("LayerNorm", a.X);
        var fused = a.Dropout.IsActive || !a.Residual.IsNone;
        var args = new CudaLayerNormArgs
        {
            X = Address(a.X), Residual = Address(a.Residual), Sum = Address(a.Sum), Norm = CudaRowNorm.Of(a),
            Dropout = CudaDropout.Of(a.Dropout), Rows = a.Rows, Activation = (int)a.Activation, Fused = fused ? 1 : 0,
        };
        var width = CudaLayerNorm.WidthFor(a.Columns, a.Activation);
        if (width >= 0 && InPacks(type, a.Columns, a.X, a.Residual, a.Gamma, a.Beta, a.Y, fused ? a.Sum : default))
        {
            var warps = CudaLayerNorm.ForwardWarps;
            var held = a.Activation == Activation.Gelu ? CudaLayerNorm.HeldGelu : CudaLayerNorm.Held;
            Launch(held[width][type], (a.Rows + warps - 1) / warps, 32 * warps, args);
        }
        else
        {
            Launch(CudaLayerNorm.Forward[type], a.Rows, ThreadsFor(a.Columns), args);
        }
    }

    /// <inheritdoc/>
    public void LayerNormBackward(in LayerNormBackwardArgs a)
    {
        var type = ElementOf("LayerNormBackward", a.Sum);
        var width = CudaLayerNorm.WidthFor(a.Columns, a.Activation);
        var held = width >= 0 && InPacks(type, a.Columns, a.Sum, a.Gamma, a.Beta, a.DY, a.DX, a.DResidual);
        var (runs, runRows) = held ? CudaLayerNorm.RunsOfWarps(a.Rows) : CudaLayerNorm.Runs(a.Rows);
        var wantsSums = !a.DGamma.IsNone || !a.DBeta.IsNone;
        var partial = wantsSums ? Allocate(runs * 2L * a.Columns * sizeof(float)) : null;
        var args = new CudaLayerNormBackwardArgs
        {
            Sum = Address(a.Sum), Gamma = Address(a.Gamma), Beta = Address(a.Beta), DY = Address(a.DY), DX = Address(a.DX),
            DResidual = Address(a.DResidual), Mean = Address(a.Mean), Rstd = Address(a.Rstd), Partial = Address(partial),
            Dropout = CudaDropout.Of(a.Dropout), Rows = a.Rows, Columns = a.Columns, Activation = (int)a.Activation,
            RunRows = runRows,
        };
        if (held)
        {
            var kernels = a.Activation == Activation.Gelu ? CudaLayerNorm.HeldGeluBackward : CudaLayerNorm.HeldBackward;
            Launch(kernels[width][type], runs, 32 * CudaLayerNorm.BackwardWarps, args);
        }
        else
        {
            // The sums first: dx may be dy.
            var threads = ThreadsFor(a.Columns);
            if (wantsSums) Launch(CudaLayerNorm.Sums[type], new Dim3(runs, (a.Columns + threads - 1) / threads), threads, args);
            if (!a.DX.IsNone || !a.DResidual.IsNone) Launch(CudaLayerNorm.Rows[type], a.Rows, threads, args);
        }
        if (partial is null) return;
        Launch(CudaLayerNorm.Finish[type], new Dim3((a.Columns + 31) / 32, 2), 1024, new CudaPartialSumArgs
        {
            Partial = args.Partial, First = Address(a.DGamma), Second = Address(a.DBeta), Blocks = runs, Columns = a.Columns,
            Accumulate = (a.AccumulateGamma ? 1 : 0) | (a.AccumulateBeta ? 2 : 0),
        });
        Free(partial);
    }
}

/// <summary>Operands as in <see cref="LayerNormArgs"/>; kernels/layer_norm.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaLayerNormArgs
{
    public ulong X, Residual, Sum;
    public CudaRowNorm Norm;
    public CudaDropout Dropout;
    public long Rows;
    public int Activation, Fused;
}

/// <summary>The norm of rows; kernels/common/row_norm.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaRowNorm
{
    public ulong Gamma, Beta, Y, Mean, Rstd;
    public int Columns;
    public float Eps;

    public static CudaRowNorm Of(in LayerNormArgs a) => new()
    {
        Gamma = CudaBackend.Address(a.Gamma), Beta = CudaBackend.Address(a.Beta), Y = CudaBackend.Address(a.Y),
        Mean = CudaBackend.Address(a.Mean), Rstd = CudaBackend.Address(a.Rstd), Columns = a.Columns, Eps = (float)a.Eps,
    };
}

/// <summary>Operands as in <see cref="LayerNormBackwardArgs"/>; kernels/layer_norm.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaLayerNormBackwardArgs
{
    public ulong Sum, Gamma, Beta, DY, DX, DResidual, Mean, Rstd, Partial;
    public CudaDropout Dropout;
    public long Rows;
    public int Columns, Activation, RunRows;
    private readonly int zero;
}

/// <summary>The kernels of kernels/layer_norm.cu, and how rows are cut.</summary>
internal static class CudaLayerNorm
{
    /// <summary>Warps of a block, each with a row.</summary>
    public const int ForwardWarps = 4, BackwardWarps = 8;

    /// <summary>
    /// Runs of rows at most in the fast backward kernel: two blocks for each multiprocessor of an H100 or H200. A constant, so
    /// that sums have the same bits on every device.
    /// </summary>
    private const int MostRunsOfWarps = 264;

    private const int FewestRows = 4, MostRuns = 1024;

    private static readonly int[] Widths = [256, 512, 768, 1024];

    private static readonly TypedSource Source = new("layer_norm.cu");

    /// <summary>Rows that a warp holds, by <see cref="WidthFor"/>.</summary>
    public static readonly TypedKernel<CudaLayerNormArgs>[] Held =
        [.. Widths.Select(w => new TypedKernel<CudaLayerNormArgs>(Source, $"layer_norm_fwd_w{w}"))];

    /// <summary>As above with a GELU behind the norm.</summary>
    public static readonly TypedKernel<CudaLayerNormArgs>[] HeldGelu =
        [.. Widths.Select(w => new TypedKernel<CudaLayerNormArgs>(Source, $"layer_norm_fwd_gelu_w{w}"))];

    public static readonly TypedKernel<CudaLayerNormArgs> Forward = new(Source, "layer_norm_fwd");

    /// <summary>As <see cref="Held"/>; the sums too.</summary>
    public static readonly TypedKernel<CudaLayerNormBackwardArgs>[] HeldBackward =
        [.. Widths.Select(w => new TypedKernel<CudaLayerNormBackwardArgs>(Source, $"layer_norm_bwd_w{w}"))];

    /// <summary>As above with a GELU behind the norm.</summary>
    public static readonly TypedKernel<CudaLayerNormBackwardArgs>[] HeldGeluBackward =
        [.. Widths.Select(w => new TypedKernel<CudaLayerNormBackwardArgs>(Source, $"layer_norm_bwd_gelu_w{w}"))];

    public static readonly TypedKernel<CudaLayerNormBackwardArgs> Rows = new(Source, "layer_norm_bwd_rows");

    public static readonly TypedKernel<CudaLayerNormBackwardArgs> Sums = new(Source, "layer_norm_bwd_sums");

    public static readonly TypedKernel<CudaPartialSumArgs> Finish = new(Source, "layer_norm_bwd_finish");

    public static IEnumerable<CudaKernel> All =>
    [
        .. Held.SelectMany(k => k.Both), .. HeldGelu.SelectMany(k => k.Both), .. HeldBackward.SelectMany(k => k.Both),
        .. HeldGeluBackward.SelectMany(k => k.Both), .. Forward.Both, .. Rows.Both, .. Sums.Both, .. Finish.Both,
    ];

    /// <summary>The narrowest fast kernel for such rows; -1 when there is none.</summary>
    public static int WidthFor(int columns, Activation activation = Activation.None)
    {
        if (activation == Activation.GeluTanh) return -1;
        for (var i = 0; i < Widths.Length; i++)
            if (columns <= Widths[i]) return i;
        return -1;
    }

    /// <summary>Runs whose rows are the same multiple of a block's warps.</summary>
    public static (int Runs, int Rows) RunsOfWarps(long rows)
    {
        const int Slots = MostRunsOfWarps * BackwardWarps;
        var run = (int)Math.Max(1, (rows + Slots - 1) / Slots) * BackwardWarps;
        return ((int)((rows + run - 1) / run), run);
    }

    /// <summary>Runs for the general kernel.</summary>
    public static (int Runs, int Rows) Runs(long rows)
    {
        var run = (int)Math.Max(FewestRows, (rows + MostRuns - 1) / MostRuns);
        return ((int)((rows + run - 1) / run), run);
    }
}
