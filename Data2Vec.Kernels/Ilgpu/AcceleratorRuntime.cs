using Data2Vec.Kernels.Platform;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>A device that ILGPU itself drives: NVIDIA, OpenCL, or its own CPU accelerator.</summary>
internal sealed class AcceleratorRuntime : IKernelRuntime
{
    private readonly Context context;
    private readonly Accelerator accelerator;
    private readonly AcceleratorStream stream;
    private readonly PinnedRing staging;
    private readonly List<string> loaded = [];
    private Delegate?[] kernels = [];

    /// <param name="context">The ILGPU context; disposed with this.</param>
    /// <param name="accelerator">A device of that context; disposed with this.</param>
    /// <param name="cache">Where the names of kernels in use are kept; null = where the environment says.</param>
    public AcceleratorRuntime(Context context, Accelerator accelerator, KernelCache? cache = null)
    {
        Cache = cache ?? KernelCache.Open();
        this.context = context;
        this.accelerator = accelerator;
        stream = accelerator.CreateStream();
        Pool = new IlgpuPool(accelerator);
        staging = new PinnedRing(accelerator, stream);
    }

    public string Name => accelerator.Name;

    public string Description => $"ilgpu ({Name}, {accelerator.AcceleratorType.ToString().ToLowerInvariant()})";

    public string Kind => $"ilgpu {accelerator.AcceleratorType.ToString().ToLowerInvariant()}";

    public KernelCache Cache { get; }

    public KernelCounts Kernels => new(loaded.Count, loaded.Count);

    public IReadOnlyCollection<string> LoadedKernels => loaded;

    public int Multiprocessors => accelerator.NumMultiprocessors;

    public BufferPool<IlgpuBuffer> Pool { get; }

    public void Upload(ReadOnlySpan<byte> source, IlgpuBuffer target, long offset)
    {
        for (var at = 0; at < source.Length;)
        {
            var part = staging.Take(source.Length - at);
            source.Slice(at, part.Length).CopyTo(part.Memory);
            part.CopyTo(target.View.SubView(offset + at, part.Length));
            at += part.Length;
        }
    }

    public unsafe void Download(IlgpuBuffer source, long offset, Span<byte> target)
    {
        if (!target.IsEmpty)
        {
            // ILGPU takes the address of what it is given and does not pin it: while the device is waited for, the collector
            // would move the caller's array away.
            fixed (byte* pinned = target)
            {
                source.View.SubView(offset, target.Length).CopyToCPU(stream, ref *pinned, target.Length);
            }
        }
        stream.Synchronize();
    }

    public bool RunsOnHost => accelerator is CPUAccelerator;

    // OpenCL's devices are not asked: more than most of them have.
    public long CacheBytes => RunsOnHost ? 0 : accelerator is CudaAccelerator cuda ? cuda.L2CacheSize : 64 << 20;

    public QueueMarks CreateMarks() => new AcceleratorMarks(stream);

    public void Copy(DeviceBuffer source, DeviceBuffer target) =>
        ((IlgpuBuffer)source).View.CopyTo(stream, ((IlgpuBuffer)target).View);

    public void Clear(DeviceBuffer buffer) => ((IlgpuBuffer)buffer).View.MemSetToZero(stream);

    public void Synchronize() => stream.Synchronize();

    public void Prepare(string name)
    {
        if (KernelList.Find(name) is { } source) Loaded(source);
    }

    public void Launch<TArgs>(KernelSource<TArgs> source, Index3D groups, int threads, in TArgs args)
        where TArgs : struct
    {
        var launch = (Action<AcceleratorStream, KernelConfig, TArgs>)Loaded(source);
        launch(stream, new KernelConfig(groups, new Index3D(threads, 1, 1)), args);
    }

    public void Dispose()
    {
        stream.Synchronize();
        staging.Dispose();
        Pool.Dispose();
        stream.Dispose();
        accelerator.Dispose();
        context.Dispose();
    }

    private Delegate Loaded(KernelSource source)
    {
        if (source.Number < kernels.Length && kernels[source.Number] is { } known) return known;
        if (source.Number >= kernels.Length) Array.Resize(ref kernels, source.Number + 64);
        try
        {
            kernels[source.Number] = source.Load(accelerator);
            loaded.Add(source.Name);
            return kernels[source.Number]!;
        }
        catch (Exception e) when (e is InternalCompilerException or AcceleratorException or NotSupportedException)
        {
            throw new InvalidOperationException(
                $"The kernel {source.Name} does not compile for {Name}: {(e.InnerException ?? e).Message}", e);
        }
    }
}
