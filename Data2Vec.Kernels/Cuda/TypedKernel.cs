namespace Data2Vec.Kernels.Cuda;

/// <summary>A file of kernels/ that is compiled once for float32 and once for bfloat16 elements.</summary>
internal sealed class TypedSource(string file)
{
    /// <summary>Elements are float32.</summary>
    public CudaSource Full { get; } = new(file, "float32", "-DELEMENT_BF16=0");

    /// <summary>Elements are bfloat16.</summary>
    public CudaSource Brain { get; } = new(file, "bf16", "-DELEMENT_BF16=1");
}

/// <summary>An entry point of a <see cref="TypedSource"/>: the same arguments for either type.</summary>
internal sealed class TypedKernel<TArgs>(TypedSource source, string entry, int mostSharedBytes = 0)
    where TArgs : unmanaged
{
    private readonly CudaKernel<TArgs> full = new(source.Full, entry, mostSharedBytes);
    private readonly CudaKernel<TArgs> brain = new(source.Brain, entry, mostSharedBytes);

    /// <summary>The one for a type of elements.</summary>
    public CudaKernel<TArgs> this[DType type] => type == DType.BFloat16 ? brain : full;

    /// <summary>Both.</summary>
    public IEnumerable<CudaKernel> Both => [full, brain];
}
