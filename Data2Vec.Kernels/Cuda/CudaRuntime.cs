using System.Globalization;
using System.Runtime.InteropServices;
using Data2Vec.Kernels.Ilgpu;
using Data2Vec.Kernels.Platform;
using ILGPU;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// A device behind <see cref="ICudaDriver"/>: runs our own kernels, and ILGPU's as the PTX that its compiler writes, on one
/// stream with one pool of memory.
/// </summary>
internal sealed unsafe class CudaRuntime : IKernelRuntime
{
    private readonly ICudaDriver driver;
    private readonly CudaQueue queue;
    private readonly KernelModules modules;
    private readonly AddressSpace addresses = new();

    /// <param name="driver">Disposed with this.</param>
    /// <param name="cache">Where compiled kernels are kept; null = where the environment says.</param>
    public CudaRuntime(ICudaDriver driver, KernelCache? cache = null)
    {
        this.driver = driver;
        Cache = cache ?? KernelCache.Open();
        modules = new KernelModules(driver, Cache);
        queue = new CudaQueue(driver);
        Pool = new CudaPool(driver, queue, addresses);
    }

    /// <summary>The device.</summary>
    public ICudaDriver Driver => driver;

    /// <summary>The way of all work to it.</summary>
    public CudaQueue Queue => queue;

    public string Name => driver.Device.Name;

    public string Description => string.Create(CultureInfo.InvariantCulture,
        $"cuda ({Name}, sm_{driver.Device.Major}{driver.Device.Minor}, {driver.Device.Multiprocessors} multiprocessors)");

    public string Kind => "cuda";

    public KernelCache Cache { get; }

    public KernelCounts Kernels => new(modules.Loaded.Count, modules.Compiled);

    public IReadOnlyCollection<string> LoadedKernels => modules.Loaded;

    public int Multiprocessors => driver.Device.Multiprocessors;

    public BufferPool<IlgpuBuffer> Pool { get; }

    public void Upload(ReadOnlySpan<byte> source, IlgpuBuffer target, long offset) =>
        queue.Upload(source, ((CudaBuffer)target).Pointer + (ulong)offset);

    public void Download(IlgpuBuffer source, long offset, Span<byte> target) =>
        queue.Download(((CudaBuffer)source).Pointer + (ulong)offset, target);

    public bool RunsOnHost => driver.Device.CacheBytes == 0;

    public long CacheBytes => driver.Device.CacheBytes;

    public QueueMarks CreateMarks() => new CudaMarks(driver, queue);

    public void Copy(DeviceBuffer source, DeviceBuffer target)
    {
        queue.SendNow();
        driver.CopyOnDevice(((CudaBuffer)target).Pointer, ((CudaBuffer)source).Pointer, source.Bytes);
    }

    public void Clear(DeviceBuffer buffer) => queue.Clear(((CudaBuffer)buffer).Pointer, buffer.Bytes);

    public void Synchronize() => queue.Synchronize();

    public void Prepare(string name)
    {
        if (CudaKernelList.Find(name) is { } own) modules.Find(own);
        else if (KernelList.Find(name) is { } source) modules.Find(source);
    }

    public void Launch<TArgs>(KernelSource<TArgs> source, Index3D groups, int threads, in TArgs args)
        where TArgs : struct
    {
        var function = modules.Find(source);
        var packer = ArgumentPacker<TArgs>.Instance;
        // Zeros in the gaps too: steps are compared by their bytes.
        Span<byte> bytes = stackalloc byte[packer.Bytes];
        bytes.Clear();
        fixed (byte* start = bytes) packer.Pack(args, (nint)start);
        queue.Launch(function, new Dim3(groups.X, groups.Y, groups.Z), new Dim3(threads), 0, bytes);
    }

    /// <summary>Queues a hand-written kernel; does nothing when there are no blocks.</summary>
    /// <param name="kernel">Loaded when it is first asked for.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="args">Its parameter.</param>
    /// <param name="sharedBytes">Dynamic shared memory, at most what the kernel was declared with.</param>
    public void Launch<TArgs>(CudaKernel<TArgs> kernel, Dim3 grid, int threads, in TArgs args, int sharedBytes = 0)
        where TArgs : unmanaged
    {
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0) return;
        var function = modules.Find(kernel);
        queue.Launch(function, grid, new Dim3(threads), sharedBytes,
            MemoryMarshal.AsBytes(new ReadOnlySpan<TArgs>(in args)));
    }

    public void Dispose()
    {
        queue.Synchronize();
        queue.Dispose();
        Pool.Dispose();
        addresses.Dispose();
        modules.Dispose();
        driver.Dispose();
    }
}
