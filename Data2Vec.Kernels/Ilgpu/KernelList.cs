namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Every kernel of the ILGPU backend: what the tests compile and hold to a budget.</summary>
internal static class KernelList
{
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
}
