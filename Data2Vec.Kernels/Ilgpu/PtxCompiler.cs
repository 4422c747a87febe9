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

    /// <summary>Assembles PTX for an architecture ("sm_90") and reads what its kernels take, at most.</summary>
    /// <exception cref="InvalidOperationException">The assembler refuses it, or does not say what it takes; the message holds its words.</exception>
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
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"ptxas refuses the kernel for {architecture}: {words}");
            return new KernelUse(
                Most(Registers(), words), SharedMemory().IsMatch(words) ? Most(SharedMemory(), words) : 0, Most(Stack(), words),
                Most(SpillStores(), words) + Most(SpillLoads(), words));
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

    /// <summary>The largest number of all entries: silence is no zero.</summary>
    private static int Most(Regex pattern, string words)
    {
        var matches = pattern.Matches(words);
        return matches.Count > 0 ? matches.Max(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"ptxas did not say what was looked for ({pattern}): {words}");
    }

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
