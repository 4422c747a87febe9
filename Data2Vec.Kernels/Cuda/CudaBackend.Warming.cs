namespace Data2Vec.Kernels;

/// <content>Kernels loaded ahead of time: hand-written ones and ILGPU's, which one runtime holds.</content>
public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public KernelCounts Kernels => rest.Kernels;

    /// <inheritdoc/>
    public int Warm(string work) => rest.Warm(work);

    /// <inheritdoc/>
    public void Remember(string work) => rest.Remember(work);
}
