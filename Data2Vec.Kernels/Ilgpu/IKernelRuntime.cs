using Data2Vec.Kernels.Platform;
using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// What <see cref="IlgpuBackend"/> needs of a device: memory, and kernels in one queue. Either ILGPU drives the device
/// itself, or its compiler's PTX is handed to a CUDA driver.
/// </summary>
internal interface IKernelRuntime : IQueueTiming, IDisposable
{
    /// <summary>The device's own name.</summary>
    string Name { get; }

    /// <summary>What drives which device: "ilgpu (..., cuda)".</summary>
    string Description { get; }

    /// <summary>
    /// What drives it, in a word or two: kernels that one kind has used are of use to another device of it.
    /// </summary>
    string Kind { get; }

    /// <summary>Where compiled kernels and the names of those in use are kept.</summary>
    KernelCache Cache { get; }

    /// <summary>What was loaded and compiled so far.</summary>
    KernelCounts Kernels { get; }

    /// <summary>Names of the kernels that are loaded.</summary>
    IReadOnlyCollection<string> LoadedKernels { get; }

    /// <summary>Streaming multiprocessors or compute units.</summary>
    int Multiprocessors { get; }

    /// <summary>The device's memory.</summary>
    BufferPool<IlgpuBuffer> Pool { get; }

    /// <summary>Queues a copy; the source may be reused on return.</summary>
    void Upload(ReadOnlySpan<byte> source, IlgpuBuffer target, long offset);

    /// <summary>Copies after everything queued so far; waits.</summary>
    void Download(IlgpuBuffer source, long offset, Span<byte> target);

    /// <summary>Waits for everything queued.</summary>
    void Synchronize();

    /// <summary>
    /// Compiles and loads a kernel ahead of its first launch; does nothing when there is none of that name.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// It does not compile; the sentence names kernel and device.
    /// </exception>
    void Prepare(string name);

    /// <summary>Queues a kernel, which is compiled when it is first asked for.</summary>
    /// <exception cref="InvalidOperationException">
    /// It does not compile; the sentence names kernel and device.
    /// </exception>
    void Launch<TArgs>(KernelSource<TArgs> source, Index3D groups, int threads, in TArgs args)
        where TArgs : struct;
}

/// <summary>Device memory that ILGPU's kernels can be given.</summary>
internal abstract class IlgpuBuffer : PooledBuffer
{
    /// <summary>All its bytes.</summary>
    public abstract ArrayView<byte> View { get; }
}
