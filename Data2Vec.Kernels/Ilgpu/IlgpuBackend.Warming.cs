using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

/// <content>Kernels loaded ahead of time.</content>
public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public KernelCounts Kernels => runtime.Kernels;

    private KernelJournal Journal => new(runtime.Cache, $"{runtime.Kind} {runtime.Name}");

    /// <inheritdoc/>
    public int Warm(string work)
    {
        var before = runtime.Kernels.Loaded;
        foreach (var name in Journal.Read(work)) runtime.Prepare(name);
        return runtime.Kernels.Loaded - before;
    }

    /// <inheritdoc/>
    public void Remember(string work) => Journal.Add(work, runtime.LoadedKernels);
}
