using System.CommandLine;
using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Bench;

/// <summary>
/// `kernels [filter]`: compiles the GPU kernels of the ILGPU backend to PTX, no GPU needed, and shows what each takes of
/// registers and shared memory where ptxas is present.
/// </summary>
internal static class KernelsCommand
{
    private static readonly string[] Architectures = ["sm_80", "sm_90"];

    public static Command Make()
    {
        var filter = new Argument<string?>("filter")
        {
            Description = "Only kernels whose name contains this.", Arity = ArgumentArity.ZeroOrOne,
        };
        var folder = new Option<string?>("--out") { Description = "Also write the PTX of each kernel into this folder." };
        var command = new Command("kernels", "Compile the ILGPU kernels to PTX and show what they take.") { filter, folder };
        command.SetAction(parsed => Run(parsed.GetValue(filter), parsed.GetValue(folder), parsed.InvocationConfiguration.Output));
        return command;
    }

    private static int Run(string? filter, string? folder, TextWriter output)
    {
        if (folder is not null) Directory.CreateDirectory(folder);
        var assembler = PtxCompiler.FindAssembler();
        if (assembler is null) output.WriteLine("no ptxas here (scripts/gpu-toolchain.sh fetches it): compiled, not assembled");
        using var compiler = new PtxCompiler();
        int count = 0, failed = 0;
        foreach (var source in KernelList.All.Where(k => k.Name.Contains(filter ?? "", StringComparison.OrdinalIgnoreCase)))
        {
            count++;
            try
            {
                var ptx = compiler.Compile(source);
                if (folder is not null) File.WriteAllText(Path.Combine(folder, source.Name.Replace(' ', '_') + ".ptx"), ptx);
                var uses = assembler is null ? [] : Architectures.Select(a => $"{a} {PtxCompiler.Assemble(assembler, ptx, a)}");
                output.WriteLine($"ok   {source.Name,-48} {string.Join("  ", uses)}");
            }
            catch (InvalidOperationException e)
            {
                failed++;
                output.WriteLine($"FAIL {source.Name,-48} {e.Message}");
            }
        }
        output.WriteLine(Report.Count(count, count, failed, 0));
        return failed > 0 || count == 0 ? 1 : 0;
    }
}
