using System.Globalization;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Compiles ILGPU kernels to PTX without a GPU.</summary>
internal sealed partial class PtxCompiler : IDisposable
{
    /// <summary>For what it compiles.</summary>
    public const string Target = "sm_80";

    private readonly Context context = Context.Create(b => b.Math(MathMode.Default));
    private readonly PTXBackend backend;

    public PtxCompiler() => backend = new PTXBackend(
        context, new CudaCapabilityContext(CudaArchitecture.SM_80), CudaArchitecture.SM_80, CudaInstructionSet.ISA_70, null);

    /// <summary>PTX for sm_80, the newest target that ILGPU writes.</summary>
    /// <exception cref="InvalidOperationException">ILGPU cannot compile it; the sentence says why.</exception>
    public string Compile(KernelSource source)
    {
        try
        {
            var entry = EntryPointDescription.FromExplicitlyGroupedKernel(source.Method);
            return ((PTXCompiledKernel)backend.Compile(entry, source.Specialization)).PTXAssembly;
        }
        catch (InternalCompilerException e)
        {
            throw new InvalidOperationException(
                $"The kernel {source.Name} does not compile to PTX: {(e.InnerException ?? e).Message}", e);
        }
    }

    /// <summary>Name of the entry point in a kernel's PTX, and the bytes of its one parameter.</summary>
    public static (string Name, int Bytes) EntryOf(string ptx)
    {
        var entry = Entry().Match(ptx);
        return entry.Success ? (entry.Groups["name"].Value, int.Parse(entry.Groups["bytes"].Value, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException("ILGPU's PTX has no entry point with one struct for a parameter.");
    }

    public void Dispose()
    {
        backend.Dispose();
        context.Dispose();
    }

    [GeneratedRegex(@"\.entry\s+(?<name>[\w$]+)\s*\(\s*\.param\s+\.align\s+\d+\s+\.b8\s+[\w$]+\[(?<bytes>\d+)\]\s*\)")]
    private static partial Regex Entry();
}
