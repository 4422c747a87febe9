namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// The kernels of a product of two kinds of operands: for large tiles, if there is one, and for small ones.
/// </summary>
internal sealed class CudaProductKernels<TLeft, TRight>
    where TLeft : unmanaged
    where TRight : unmanaged
{
    private readonly CudaKernel<CudaProductArgs<TLeft, TRight>>?[] kernels;
    private readonly bool fullUsesTensorCores;

    /// <param name="source">Where they are.</param>
    /// <param name="name">"matmul_nt": kernels _128 and _64; or "matmul_any", "..._odd", which have one size.</param>
    public CudaProductKernels(TypedSource source, string name)
    {
        var hasOneSize = name.EndsWith("_any", StringComparison.Ordinal)
            || name.EndsWith("_odd", StringComparison.Ordinal);
        kernels =
        [
            Of(source.Full, name, false, hasOneSize), Of(source.Full, name, true, hasOneSize),
            Of(source.Brain, name, false, hasOneSize), Of(source.Brain, name, true, hasOneSize),
        ];
    }

    /// <param name="full">Where kernels are that multiply float32 operands by tensor cores.</param>
    /// <param name="name">As above.</param>
    public CudaProductKernels(CudaSource full, string name)
    {
        kernels = [Of(full, name, false, false), Of(full, name, true, false), null, null];
        fullUsesTensorCores = true;
    }

    public bool HasLarge => kernels[1] is not null;

    public IEnumerable<CudaKernel> All => kernels.OfType<CudaKernel>();

    public CudaKernel<CudaProductArgs<TLeft, TRight>> For(DType type, bool isLarge) =>
        kernels[(type == DType.BFloat16 ? 2 : 0) + (isLarge ? 1 : 0)]!;

    /// <summary>Threads of a block.</summary>
    public int Threads(DType type, int tileSize) =>
        type == DType.BFloat16 || fullUsesTensorCores ? 128 : tileSize * tileSize / 64;

    private static CudaKernel<CudaProductArgs<TLeft, TRight>>? Of(
        CudaSource source, string name, bool isLarge, bool hasOneSize)
    {
        var bytes = new ProductPlan(isLarge, 1, 1).SharedBytes;
        if (hasOneSize) return isLarge ? null : new(source, name, bytes);
        return new(source, name + (isLarge ? "_128" : "_64"), bytes);
    }
}

/// <summary>The kernels of kernels/matmul.cu.</summary>
internal static class CudaProducts
{
    private static readonly TypedSource Source = new("matmul.cu");
    private static readonly CudaSource Tensor = new("matmul.cu", "tf32", "-DELEMENT_BF16=0", "-DTENSOR_FLOAT32=1");

    // The names are those of BLAS, where the right matrix counts as transposed when it is contiguous along the inner
    // extent.
    private static readonly string[] Names = ["matmul_nt", "matmul_nn", "matmul_tt", "matmul_tn"];

    /// <summary>
    /// By how the left operand lies (times two) and the right one: contiguous along the inner extent, along the lines.
    /// </summary>
    public static readonly CudaProductKernels<CudaMatrix, CudaMatrix>[] Matrices =
        [.. Names.Select(n => new CudaProductKernels<CudaMatrix, CudaMatrix>(Source, n))];

    /// <summary>The same for float32 operands that are rounded to 10 digits.</summary>
    public static readonly CudaProductKernels<CudaMatrix, CudaMatrix>[] TensorMatrices =
        [.. Names.Select(n => new CudaProductKernels<CudaMatrix, CudaMatrix>(Tensor, n))];

    /// <summary>Every stride and every address.</summary>
    public static readonly CudaProductKernels<CudaMatrix, CudaMatrix> AnyMatrices = new(Source, "matmul_any");

    public static readonly TypedKernel<CudaProductSumArgs> Parts = new(Source, "matmul_parts");

    /// <summary>
    /// Products that are multiplied by the slopes of an activation at <see cref="CudaProductEnd.Sums"/>: of a left operand that is
    /// contiguous along the inner extent and a right one along the lines; the same of rounded float32; and of what lies odd.
    /// </summary>
    public static readonly CudaProductKernels<CudaMatrix, CudaMatrix> Slopes = new(Source, "matmul_slopes"),
        TensorSlopes = new(Tensor, "matmul_slopes"), AnySlopes = new(Source, "matmul_slopes_any");

    public static readonly TypedKernel<CudaProductSumArgs> SlopeParts = new(Source, "matmul_slopes_parts");

    public static readonly TypedKernel<CudaLinearSlopeArgs> Slope = new(Source, "linear_bwd_slope");

    public static readonly TypedKernel<CudaPartialSumArgs> Bias = new(Source, "linear_bwd_bias");

    public static IEnumerable<CudaKernel> All =>
    [
        .. Matrices.SelectMany(k => k.All), .. TensorMatrices.SelectMany(k => k.All), .. AnyMatrices.All, .. Parts.Both,
        .. Slopes.All, .. TensorSlopes.All, .. AnySlopes.All, .. SlopeParts.Both, .. Slope.Both, .. Bias.Both,
    ];
}
