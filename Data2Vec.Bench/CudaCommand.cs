using System.CommandLine;
using System.IO.Compression;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Platform;

namespace Data2Vec.Bench;

/// <summary>
/// `cuda [filter]`: compiles the CUDA sources of kernels/ with NVRTC, no GPU needed, and shows what each entry point takes of
/// registers and shared memory on every architecture.
/// </summary>
internal static class CudaCommand
{
    /// <summary>What every source must compile for.</summary>
    public static readonly string[] Levels = ["80", "86", "89", "90"];

    /// <summary>The level whose PTX travels with the assembly.</summary>
    public const string Shipped = "80";

    public static Command Make()
    {
        var filter = new Argument<string?>("filter")
        {
            Description = "Only sources whose name contains this.", Arity = ArgumentArity.ZeroOrOne,
        };
        var folder = new Option<string?>("--out")
        {
            Description = "Also write the PTX for sm_80, compressed, into this folder; kernels/ptx is what the assembly ships.",
        };
        var budget = new Option<string?>("--budget")
        {
            Description = "Also write what each takes into this table, the budget that the tests hold kernels to.",
        };
        var command = new Command("cuda", "Compile the CUDA sources and show what their kernels take.") { filter, folder, budget };
        command.SetAction(parsed => Run(
            parsed.GetValue(filter), parsed.GetValue(folder), parsed.GetValue(budget), parsed.InvocationConfiguration.Output));
        return command;
    }

    /// <summary>Registers and memory of every entry point of a source, "file.variant entry", for each level.</summary>
    /// <param name="assembler">ptxas.</param>
    /// <param name="source">The source.</param>
    /// <param name="ptx">Its PTX for each of <see cref="Levels"/>.</param>
    public static IEnumerable<(string Kernel, KernelUse[] Uses)> Uses(string assembler, CudaSource source, string[] ptx)
    {
        var levels = ptx.Zip(Levels).AsParallel().AsOrdered()
            .Select(p => Ptxas.Assemble(assembler, p.First, $"sm_{p.Second}")).ToArray();
        return levels[0].Keys.Order(StringComparer.Ordinal).Select(e => ($"{source.Name} {e}", levels.Select(u => u[e]).ToArray()));
    }

    /// <summary>PTX of a source for each of <see cref="Levels"/>.</summary>
    public static string[] Compile(Nvrtc nvrtc, CudaSource source) =>
        [.. Levels.AsParallel().AsOrdered().Select(l => Compile(nvrtc, source, l))];

    /// <summary>PTX of a source for a level.</summary>
    public static string Compile(Nvrtc nvrtc, CudaSource source, string level) =>
        nvrtc.Compile(source.File, $"compute_{level}", [.. source.Defines]);

    private static int Run(string? filter, string? folder, string? budget, TextWriter output)
    {
        using var nvrtc = Nvrtc.TryLoad(GpuToolchain.Libraries, out var reason);
        if (nvrtc is null || GpuToolchain.Assembler is not { } assembler)
        {
            output.WriteLine($"there is no NVRTC or no ptxas here; scripts/gpu-toolchain.sh fetches them {reason}");
            return 1;
        }
        if (folder is not null) Directory.CreateDirectory(folder);
        var table = new List<string>();
        int count = 0, failed = 0;
        foreach (var source in CudaKernelList.Sources.Where(s => s.Name.Contains(filter ?? "", StringComparison.OrdinalIgnoreCase)))
        {
            count++;
            try
            {
                var ptx = Compile(nvrtc, source);
                foreach (var (kernel, uses) in Uses(assembler, source, ptx))
                {
                    output.WriteLine($"ok   {kernel,-56} {string.Join("  ", uses.Select((u, i) => $"sm_{Levels[i]} {u}"))}");
                    table.Add(KernelBudget.Line(kernel, uses, CudaKernelList.Find(kernel)?.MostSharedBytes ?? 0));
                }
                if (folder is not null)
                {
                    using var file = File.Create(Path.Combine(folder, source.Name + CudaSource.PtxEnding));
                    using var writer = new StreamWriter(new GZipStream(file, CompressionLevel.SmallestSize));
                    writer.Write(source.PtxHead + ptx[Array.IndexOf(Levels, Shipped)]);
                }
            }
            catch (InvalidOperationException e)
            {
                failed++;
                output.WriteLine($"FAIL {source.Name,-56} {e.Message}");
            }
        }
        if (budget is not null) File.WriteAllLines(budget, [KernelBudget.HeaderOf(Levels) + "\tdynamic shared bytes", .. table.Order(StringComparer.Ordinal)]);
        output.WriteLine(Report.Count(count, count, failed, 0));
        return failed > 0 || count == 0 ? 1 : 0;
    }
}
