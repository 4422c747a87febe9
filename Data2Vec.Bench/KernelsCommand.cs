using System.CommandLine;
using Data2Vec.Kernels.Ilgpu;
using Data2Vec.Kernels.Platform;

namespace Data2Vec.Bench;

/// <summary>
/// `kernels [filter]`: compiles the GPU kernels of the ILGPU backend to PTX, no GPU needed, and shows what each takes of
/// registers and shared memory where ptxas is present.
/// </summary>
internal static class KernelsCommand
{
    public static Command Make()
    {
        var filter = new Argument<string?>("filter")
        {
            Description = "Only kernels whose name contains this.", Arity = ArgumentArity.ZeroOrOne,
        };
        var folder = new Option<string?>("--out") { Description = "Also write the PTX of each kernel into this folder." };
        var budget = new Option<string?>("--budget")
        {
            Description = "Also write what each takes into this table, the budget that the tests hold kernels to.",
        };
        var command = new Command("kernels", "Compile the ILGPU kernels to PTX and show what they take.") { filter, folder, budget };
        command.SetAction(parsed => Run(
            parsed.GetValue(filter), parsed.GetValue(folder), parsed.GetValue(budget), parsed.InvocationConfiguration.Output));
        return command;
    }

    private static int Run(string? filter, string? folder, string? budget, TextWriter output)
    {
        if (folder is not null) Directory.CreateDirectory(folder);
        var assembler = GpuToolchain.Assembler;
        if (assembler is null) output.WriteLine("no ptxas here (scripts/gpu-toolchain.sh fetches it): compiled, not assembled");
        using var compiler = new PtxCompiler();
        var table = new List<string>();
        int count = 0, failed = 0;
        foreach (var source in KernelList.All.Where(k => k.Name.Contains(filter ?? "", StringComparison.OrdinalIgnoreCase)))
        {
            count++;
            try
            {
                var ptx = compiler.Compile(source);
                if (folder is not null) File.WriteAllText(Path.Combine(folder, source.Name.Replace(' ', '_') + ".ptx"), ptx);
                KernelUse[] uses = assembler is null ? []
                    : [.. KernelBudget.Architectures.Select(a => Ptxas.Assemble(assembler, ptx, a).Values.Single())];
                output.WriteLine($"ok   {source.Name,-48} {string.Join("  ", uses.Select((u, i) => $"{KernelBudget.Architectures[i]} {u}"))}");
                if (uses.Length > 0) table.Add(KernelBudget.Line(source.Name, uses));
            }
            catch (InvalidOperationException e)
            {
                failed++;
                output.WriteLine($"FAIL {source.Name,-48} {e.Message}");
            }
        }
        if (budget is not null) File.WriteAllLines(budget, [KernelBudget.Header, .. table.Order(StringComparer.Ordinal)]);
        output.WriteLine(Report.Count(count, count, failed, 0));
        return failed > 0 || count == 0 ? 1 : 0;
    }
}
