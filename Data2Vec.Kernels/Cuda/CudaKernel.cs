using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// A file of kernels/ under given definitions: what NVRTC compiles at once. The PTX that it makes for sm_80, which every later
/// device takes too, travels inside the assembly; a test holds it to the sources.
/// </summary>
internal sealed class CudaSource
{
    private static int made;

    /// <param name="file">Name below kernels/: "layer_norm.cu".</param>
    /// <param name="variant">Short name of the definitions: "bf16".</param>
    /// <param name="defines">Compiler options: "-DELEMENT_BF16=1".</param>
    public CudaSource(string file, string variant, params string[] defines)
    {
        File = file;
        Name = $"{Path.GetFileNameWithoutExtension(file)}.{variant}";
        Defines = defines;
        Number = Interlocked.Increment(ref made) - 1;
    }

    /// <summary>Name below kernels/.</summary>
    public string File { get; }

    /// <summary>"layer_norm.bf16": the name in budgets and messages, and of the PTX.</summary>
    public string Name { get; }

    /// <summary>Compiler options.</summary>
    public IReadOnlyList<string> Defines { get; }

    /// <summary>Under which a runtime keeps the module.</summary>
    public int Number { get; }

    /// <summary>The PTX that travels with the assembly.</summary>
    public string Ptx() => KernelSources.ReadCompressed($"ptx/{Name}{PtxEnding}");

    /// <summary>The first line of that PTX: a comment that says what it was made of.</summary>
    public string PtxHead => $"// made of {KernelSources.DigestOf(File, Defines)}\n";

    /// <summary>How files with PTX end: they are compressed, to an eighth.</summary>
    public const string PtxEnding = ".ptx.gz";
}

/// <summary>An entry point of a <see cref="CudaSource"/>.</summary>
internal abstract class CudaKernel
{
    private static int made;

    private protected CudaKernel(CudaSource source, string entry, int argumentBytes, int mostSharedBytes)
    {
        Source = source;
        Entry = entry;
        ArgumentBytes = argumentBytes;
        MostSharedBytes = mostSharedBytes;
        Number = Interlocked.Increment(ref made) - 1;
    }

    /// <summary>Where it is.</summary>
    public CudaSource Source { get; }

    /// <summary>Its name there.</summary>
    public string Entry { get; }

    /// <summary>Size of its one parameter.</summary>
    public int ArgumentBytes { get; }

    /// <summary>Dynamic shared memory that a launch asks for at most.</summary>
    public int MostSharedBytes { get; }

    /// <summary>Under which a runtime keeps the function.</summary>
    public int Number { get; }

    /// <summary>"layer_norm.bf16 layer_norm_fwd".</summary>
    public override string ToString() => $"{Source.Name} {Entry}";
}

/// <summary>A kernel whose one parameter is a struct passed by value, laid out as in the source.</summary>
/// <param name="source">Where it is.</param>
/// <param name="entry">Its name there.</param>
/// <param name="mostSharedBytes">Dynamic shared memory that a launch asks for at most.</param>
internal sealed class CudaKernel<TArgs>(CudaSource source, string entry, int mostSharedBytes = 0)
    : CudaKernel(source, entry, Unsafe.SizeOf<TArgs>(), mostSharedBytes)
    where TArgs : unmanaged;
