using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

/// <summary>
/// A CUDA device through its driver: hand-written kernels of kernels/ for the operations that take the time, ILGPU's for the
/// rest, all on one stream and from one pool of memory. The same backend runs on the emulator, which needs no GPU.
/// </summary>
public sealed partial class CudaBackend : ICompilingBackend, IReplayingBackend
{
    private readonly CudaRuntime runtime;
    private readonly IlgpuBackend rest;
    private readonly CublasLt? library;

    /// <param name="runtime">The device; disposed with this backend.</param>
    /// <param name="library">Takes the products that it can, when given; disposed with this backend.</param>
    internal CudaBackend(CudaRuntime runtime, CublasLt? library = null)
    {
        this.runtime = runtime;
        this.library = library;
        rest = new IlgpuBackend(runtime);
        // What a library launches is not noted down.
        ReplaysSteps = library is null;
    }

    /// <summary>True: steps that were seen before are launched as CUDA graphs.</summary>
    public bool ReplaysSteps
    {
        get => runtime.Queue.Replays;
        set => runtime.Queue.Replays = value && library is null;
    }

    /// <summary>Whether all products are those of our own kernels.</summary>
    internal bool OwnProducts => library is null;

    /// <inheritdoc/>
    public ReplayCounts Replays => runtime.Queue.Counts;

    /// <inheritdoc/>
    public string Description => library is null ? rest.Description : $"{rest.Description}, products by {library.Name}";

    /// <inheritdoc/>
    public bool Supports(DType type) => rest.Supports(type);

    /// <inheritdoc/>
    public bool Computes(DType type) => rest.Computes(type);

    /// <inheritdoc/>
    public MemoryStatistics Memory => rest.Memory;

    /// <inheritdoc/>
    public bool Queues => true;

    /// <inheritdoc/>
    public long Synchronizations => rest.Synchronizations;

    /// <inheritdoc/>
    public DeviceBuffer Allocate(long bytes) => rest.Allocate(bytes);

    /// <inheritdoc/>
    public void Free(DeviceBuffer buffer) => rest.Free(buffer);

    /// <inheritdoc/>
    public void Upload(ReadOnlySpan<byte> source, BufferView target) => rest.Upload(source, target);

    /// <inheritdoc/>
    public void Download(BufferView source, Span<byte> target) => rest.Download(source, target);

    /// <inheritdoc/>
    public void BeginStep()
    {
        runtime.Pool.Settle();
        runtime.Queue.BeginStep();
    }

    /// <inheritdoc/>
    public void EndStep() => runtime.Queue.EndStep();

    /// <inheritdoc/>
    public void Synchronize() => rest.Synchronize();

    /// <inheritdoc/>
    public void Dispose()
    {
        rest.Synchronize();
        library?.Dispose();
        rest.Dispose();
    }

    /// <summary>Times of the device, for benchmarks.</summary>
    internal IQueueTiming Timing => runtime;

    /// <summary>What drives the device.</summary>
    internal ICudaDriver Driver => runtime.Driver;

    /// <summary>Where kernels note the first bad index: a <see cref="Fault"/>, as ILGPU's kernels note it.</summary>
    private ulong FaultAddress => ((CudaBuffer)rest.FaultNote).Pointer;
}
