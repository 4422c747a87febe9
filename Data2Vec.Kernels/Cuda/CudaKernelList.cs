namespace Data2Vec.Kernels.Cuda;

/// <summary>Every hand-written kernel: what is compiled, held to a budget and shipped as PTX.</summary>
internal static class CudaKernelList
{
    private static readonly Lazy<Dictionary<string, CudaKernel>> Names = new(() => All.ToDictionary(k => k.ToString()));

    /// <summary>All kernels, family by family.</summary>
    public static IEnumerable<CudaKernel> All =>
    [
        .. CudaProducts.All, .. CudaAttention.All, .. CudaConv1d.All, .. CudaLayerNorm.All, .. CudaSmoothL1.All,
        .. CudaOptimizer.All, .. CudaCrossEntropy.All, .. CudaCtc.All, .. CudaTargets.All,
    ];

    /// <summary>The sources that they come from, each once.</summary>
    public static IEnumerable<CudaSource> Sources => All.Select(k => k.Source).Distinct();

    /// <summary>A kernel by its name; null when there is none.</summary>
    public static CudaKernel? Find(string name) => Names.Value.GetValueOrDefault(name);
}
