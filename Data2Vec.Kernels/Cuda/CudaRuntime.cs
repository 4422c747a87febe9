using System.Globalization;
using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// A device behind <see cref="ICudaDriver"/>: runs our own kernels, and ILGPU's as the PTX that its compiler writes, on one
/// stream with one pool of memory.
/// </summary>
internal sealed unsafe class CudaRuntime : IKernelRuntime
{
    private const int MostArgumentBytes = 4096;

    private readonly ICudaDriver driver;
    private readonly CudaStaging staging;
    private readonly PtxCompiler compiler = new();
    private readonly AddressSpace addresses = new();
    private nint[] kernels = [];
    private nint[] modules = [];
    private nint[] functions = [];

    /// <param name="driver">Disposed with this.</param>
    public CudaRuntime(ICudaDriver driver)
    {
        this.driver = driver;
        staging = new CudaStaging(driver);
        Pool = new CudaPool(driver, addresses);
    }

    /// <summary>The device.</summary>
    public ICudaDriver Driver => driver;

    public string Name => driver.Device.Name;

    public string Description => string.Create(CultureInfo.InvariantCulture,
        $"cuda ({Name}, sm_{driver.Device.Major}{driver.Device.Minor}, {driver.Device.Multiprocessors} multiprocessors)");

    public int Multiprocessors => driver.Device.Multiprocessors;

    public BufferPool<IlgpuBuffer> Pool { get; }

    public void Upload(ReadOnlySpan<byte> source, IlgpuBuffer target, long offset) =>
        staging.Upload(source, ((CudaBuffer)target).Pointer + (ulong)offset);

    public void Download(IlgpuBuffer source, long offset, Span<byte> target) =>
        staging.Download(((CudaBuffer)source).Pointer + (ulong)offset, target);

    public void Clear(IlgpuBuffer buffer) => driver.Fill(((CudaBuffer)buffer).Pointer, 0, buffer.Bytes);

    public void Synchronize() => driver.Synchronize();

    public void Launch<TArgs>(KernelSource<TArgs> source, Index3D groups, int threads, in TArgs args)
        where TArgs : struct
    {
        var function = Loaded(source);
        var packer = ArgumentPacker<TArgs>.Instance;
        var bytes = stackalloc byte[packer.Bytes];
        packer.Pack(args, (nint)bytes);
        driver.Launch(function, new Dim3(groups.X, groups.Y, groups.Z), new Dim3(threads), 0, [(nint)bytes]);
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
        var function = Loaded(kernel);
        fixed (TArgs* bytes = &args) driver.Launch(function, grid, new Dim3(threads), sharedBytes, [(nint)bytes]);
    }

    public void Dispose()
    {
        driver.Synchronize();
        staging.Dispose();
        Pool.Dispose();
        addresses.Dispose();
        compiler.Dispose();
        driver.Dispose();
    }

    private nint Loaded<TArgs>(KernelSource<TArgs> source)
        where TArgs : struct
    {
        if (source.Number < kernels.Length && kernels[source.Number] != 0) return kernels[source.Number];
        if (source.Number >= kernels.Length) Array.Resize(ref kernels, source.Number + 64);
        var ptx = compiler.Compile(source);
        var (entry, bytes) = PtxCompiler.EntryOf(ptx);
        if (bytes != source.ArgumentBytes || bytes > MostArgumentBytes)
        {
            throw new InvalidOperationException(
                $"The kernel {source.Name} takes {bytes} bytes of arguments, and its struct packs to {source.ArgumentBytes}.");
        }
        return kernels[source.Number] = driver.GetFunction(driver.LoadModule(ptx, source.Name), entry);
    }

    private nint Loaded(CudaKernel kernel)
    {
        if (kernel.Number < functions.Length && functions[kernel.Number] != 0) return functions[kernel.Number];
        var (source, number) = (kernel.Source, kernel.Source.Number);
        if (number >= modules.Length) Array.Resize(ref modules, number + 16);
        if (modules[number] == 0) modules[number] = driver.LoadModule(source.Ptx(), source.Name);
        var function = driver.GetFunction(modules[number], kernel.Entry);
        if (kernel.MostSharedBytes > 0) driver.SetDynamicShared(function, kernel.MostSharedBytes);
        if (kernel.Number >= functions.Length) Array.Resize(ref functions, kernel.Number + 64);
        return functions[kernel.Number] = function;
    }
}
