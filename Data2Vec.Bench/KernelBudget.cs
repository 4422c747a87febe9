using System.Globalization;
using Data2Vec.Kernels.Platform;

namespace Data2Vec.Bench;

/// <summary>
/// The committed table of what each kernel may take: one line a kernel, separated by tabs; `kernels --budget FILE` writes it.
/// </summary>
internal static class KernelBudget
{
    /// <summary>Of the table of ILGPU's kernels.</summary>
    public static readonly string Header = HeaderOf(["80", "90"]);

    /// <summary>What ptxas is asked for.</summary>
    public static readonly string[] Architectures = ["sm_80", "sm_90"];

    /// <summary>First line of a table for some architectures.</summary>
    public static string HeaderOf(IEnumerable<string> levels) =>
        $"kernel\t{string.Join('\t', levels.Select(l => $"sm_{l} registers"))}\tshared bytes\tstack bytes\tspill bytes";

    /// <summary>The line of a kernel: registers on each architecture, the most of the rest.</summary>
    public static string Line(string kernel, IReadOnlyList<KernelUse> uses) => string.Join('\t',
        [kernel, .. uses.Select(u => u.Registers.ToString(CultureInfo.InvariantCulture)), Most(uses, u => u.SharedBytes),
            Most(uses, u => u.StackBytes), Most(uses, u => u.SpillBytes)]);

    /// <summary>The same with the dynamic shared memory that launches ask for at most, as a last number.</summary>
    public static string Line(string kernel, IReadOnlyList<KernelUse> uses, int dynamicBytes) =>
        $"{Line(kernel, uses)}\t{dynamicBytes.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Kernel and numbers of every line.</summary>
    public static IReadOnlyDictionary<string, int[]> Read(IEnumerable<string> lines) => lines.Skip(1)
        .Select(line => line.Split('\t')).ToDictionary(
            cells => cells[0], cells => Array.ConvertAll(cells[1..], c => int.Parse(c, CultureInfo.InvariantCulture)));

    private static string Most(IReadOnlyList<KernelUse> uses, Func<KernelUse, int> of) =>
        uses.Max(of).ToString(CultureInfo.InvariantCulture);
}
