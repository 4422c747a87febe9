using Data2Vec.Kernels.Ilgpu;
using Data2Vec.Kernels.Platform;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// The kernels that a device has loaded: our own from the PTX that travels with the assembly, ILGPU's from the PTX that
/// its compiler writes, which is kept on the disk. Each is loaded when it is first asked for.
/// </summary>
internal sealed class KernelModules(ICudaDriver driver, KernelCache cache) : IDisposable
{
    private const int MostArgumentBytes = 4096;

    private readonly Lazy<PtxCompiler> compiler = new(() => new PtxCompiler());
    private readonly List<string> loaded = [];
    private nint[] kernels = [];
    private nint[] modules = [];
    private nint[] functions = [];

    /// <summary>Names of all that is loaded.</summary>
    public IReadOnlyCollection<string> Loaded => loaded;

    /// <summary>How often ILGPU's compiler was asked.</summary>
    public int Compiled { get; private set; }

    /// <summary>The function of an ILGPU kernel.</summary>
    /// <exception cref="InvalidOperationException">
    /// It does not compile, or not to what its arguments are packed for.
    /// </exception>
    public nint Find(KernelSource source)
    {
        if (source.Number < kernels.Length && kernels[source.Number] != 0) return kernels[source.Number];
        if (source.Number >= kernels.Length) Array.Resize(ref kernels, source.Number + 64);
        var ptx = Ptx(source);
        var (entry, bytes) = PtxCompiler.EntryOf(ptx);
        if (bytes != source.ArgumentBytes || bytes > MostArgumentBytes)
        {
            throw new InvalidOperationException(
                $"The kernel {source.Name} takes {bytes} bytes of arguments, "
                + $"and its struct packs to {source.ArgumentBytes}.");
        }
        kernels[source.Number] = driver.GetFunction(driver.LoadModule(ptx, source.Name), entry);
        loaded.Add(source.Name);
        return kernels[source.Number];
    }

    /// <summary>The function of one of our own kernels.</summary>
    public nint Find(CudaKernel kernel)
    {
        if (kernel.Number < functions.Length && functions[kernel.Number] != 0) return functions[kernel.Number];
        var (source, number) = (kernel.Source, kernel.Source.Number);
        if (number >= modules.Length) Array.Resize(ref modules, number + 16);
        if (modules[number] == 0) modules[number] = driver.LoadModule(source.Ptx(), source.Name);
        var function = driver.GetFunction(modules[number], kernel.Entry);
        if (kernel.MostSharedBytes > 0) driver.SetDynamicShared(function, kernel.MostSharedBytes);
        if (kernel.Number >= functions.Length) Array.Resize(ref functions, kernel.Number + 64);
        functions[kernel.Number] = function;
        loaded.Add(kernel.ToString());
        return function;
    }

    public void Dispose()
    {
        if (compiler.IsValueCreated) compiler.Value.Dispose();
    }

    private string Ptx(KernelSource source)
    {
        var name = $"{PtxCompiler.Target} {source.Name}";
        if (cache.Read(name) is { } kept) return kept;
        var ptx = compiler.Value.Compile(source);
        Compiled++;
        cache.Write(name, ptx);
        return ptx;
    }
}
