namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Every kernel of the ILGPU backend: what the tests compile and hold to a budget.</summary>
internal static class KernelList
{
    private static readonly Lazy<Dictionary<string, KernelSource>> Names = new(() => All.ToDictionary(k => k.Name));

    public static IEnumerable<KernelSource> All =>
    [
        .. UnaryKernels.All,
        .. PartialSums.All,
        .. LayerNormKernels.All,
        .. BinaryKernels.All,
        .. WhereKernels.All,
        .. FillKernels.All,
        .. CastKernels.All,
        .. StridedCopyKernels.All,
        .. ReduceKernels.All,
        .. SoftmaxKernels.All,
        .. DropoutKernels.All,
        .. GatherRowsKernels.All,
        .. RowCheckKernels.All,
        .. MaskRowsKernels.All,
        .. GatherKernels.All,
        .. MatMulKernels.All,
        .. LayerSlopeKernels.All,
        .. Conv1dKernels.All,
        .. InstanceNormKernels.All,
        .. RowOwnerKernels.All,
        .. SmoothL1Kernels.All,
        .. CrossEntropyKernels.All,
        .. CtcKernels.All, .. TargetsKernels.All,
        .. GradientNormKernels.All,
        .. AdamKernels.All,
        .. AttentionKernels.All,
    ];

    /// <summary>A kernel by its name; null when there is none.</summary>
    public static KernelSource? Find(string name) => Names.Value.GetValueOrDefault(name);
}
