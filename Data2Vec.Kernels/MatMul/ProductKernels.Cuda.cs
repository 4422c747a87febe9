namespace Data2Vec.Kernels.Cuda;

/// <summary>The kernels of a product of two kinds of operands: for large tiles, if there is one, and for small ones.</summary>
internal sealed class CudaProductKernels<TLeft, TRight>
    where TLeft : unmanaged
    where TRight : unmanaged
{
    /// <param name="source">Where they are.</param>
    /// <param name="name">"matmul_nt": kernels _128 and _64; or "matmul_any", which has one size.</param>
    public CudaProductKernels(TypedSource source, string name)
    {
        var hasOneSize = name.EndsWith("_any", StringComparison.Ordinal);
        Small = new(source, hasOneSize ? name : name + "_64", new ProductPlan(false, 1, 1).SharedBytes);
        Large = hasOneSize ? null : new(source, name + "_128", new ProductPlan(true, 1, 1).SharedBytes);
    }

    public TypedKernel<CudaProductArgs<TLeft, TRight>> Small { get; }

    public TypedKernel<CudaProductArgs<TLeft, TRight>>? Large { get; }

    public IEnumerable<CudaKernel> All => [.. Small.Both, .. Large?.Both ?? []];
}

/// <summary>The kernels of kernels/matmul.cu.</summary>
internal static class CudaProducts
{
    private static readonly TypedSource Source = new("matmul.cu");

    /// <summary>
    /// By how the left operand lies (times two) and the right one: contiguous along the inner extent, along the lines. The
    /// names are those of BLAS, where the right matrix counts as transposed when it is contiguous along the inner extent.
    /// </summary>
    public static readonly CudaProductKernels<CudaMatrix, CudaMatrix>[] Matrices =
        [new(Source, "matmul_nt"), new(Source, "matmul_nn"), new(Source, "matmul_tt"), new(Source, "matmul_tn")];

    /// <summary>Every stride and every address.</summary>
    public static readonly CudaProductKernels<CudaMatrix, CudaMatrix> AnyMatrices = new(Source, "matmul_any");

    public static readonly TypedKernel<CudaProductSumArgs> Parts = new(Source, "matmul_parts");

    public static readonly TypedKernel<CudaLinearSlopeArgs> Slope = new(Source, "linear_bwd_slope");

    public static readonly TypedKernel<CudaPartialSumArgs> Bias = new(Source, "linear_bwd_bias");

    public static IEnumerable<CudaKernel> All =>
    [
        .. Matrices.SelectMany(k => k.All), .. AnyMatrices.All, .. Parts.Both, .. Slope.Both, .. Bias.Both,
    ];
}
