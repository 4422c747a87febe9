using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Compiles kernels to PTX without a GPU, and assembles them where NVIDIA's ptxas is present (scripts/gpu-toolchain.sh fetches
/// it): what a kernel takes of registers and shared memory is known before any device runs it.
/// </summary>
internal sealed partial class PtxCompiler : IDisposable
{
    private readonly Context context = Context.Create(b => b.Math(MathMode.Default));
    private readonly PTXBackend backend;

    public PtxCompiler() => backend = new PTXBackend(
        context, new CudaCapabilityContext(CudaArchitecture.SM_80), CudaArchitecture.SM_80, CudaInstructionSet.ISA_70, null);

    /// <summary>Where scripts/gpu-toolchain.sh leaves ptxas; null when it is not there.</summary>
    public static string? FindAssembler()
    {
        var cache = Environment.GetEnvironmentVariable("DATA2VEC_GPU_TOOLCHAIN")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache/data2vec/gpu-toolchain");
        var program = Path.Combine(cache, "root/usr/bin/ptxas");
        return File.Exists(program) ? program : null;
    }

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
            throw new InvalidOperationException($"The kernel {source.Name} does not compile to PTX: {(e.InnerException ?? e).Message}", e);
        }
    }

    /// <summary>Assembles PTX for an architecture ("sm_90") and reads what it takes.</summary>
    /// <exception cref="InvalidOperationException">The assembler refuses it; the message holds its words.</exception>
    public static KernelUse Assemble(string assembler, string ptx, string architecture)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, ptx);
            var start = new ProcessStartInfo(assembler, ["-arch=" + architecture, "-v", "-o", "/dev/null", file])
            {
                RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            var words = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0) throw new InvalidOperationException($"ptxas refuses the kernel for {architecture}: {words}");
            return new KernelUse(
                Number(Registers(), words), Number(SharedMemory(), words), Number(Stack(), words),
                Number(SpillStores(), words) + Number(SpillLoads(), words));
        }
        finally
        {
            File.Delete(file);
        }
    }

    public void Dispose()
    {
        backend.Dispose();
        context.Dispose();
    }

    private static int Number(Regex pattern, string words) =>
        pattern.Match(words) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex("Used ([0-9]+) registers")]
    private static partial Regex Registers();

    [GeneratedRegex("([0-9]+) bytes smem")]
    private static partial Regex SharedMemory();

    [GeneratedRegex("([0-9]+) bytes stack frame")]
    private static partial Regex Stack();

    [GeneratedRegex("([0-9]+) bytes spill stores")]
    private static partial Regex SpillStores();

    [GeneratedRegex("([0-9]+) bytes spill loads")]
    private static partial Regex SpillLoads();
}

/// <summary>What a kernel takes of a multiprocessor.</summary>
/// <param name="Registers">Registers of a thread.</param>
/// <param name="SharedBytes">Static shared memory of a group.</param>
/// <param name="StackBytes">Local memory of a thread that is no spill (arrays).</param>
/// <param name="SpillBytes">Bytes that go to memory for want of registers.</param>
internal readonly record struct KernelUse(int Registers, int SharedBytes, int StackBytes, int SpillBytes)
{
    /// <summary>"32 registers, 4096 B shared, 0 B stack, 0 B spilled".</summary>
    public override string ToString() =>
        $"{Registers} registers, {SharedBytes} B shared, {StackBytes} B stack, {SpillBytes} B spilled";
}
