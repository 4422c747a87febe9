using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Data2Vec.Kernels.Platform;

/// <summary>NVIDIA's assembler, a program that needs no GPU: what each kernel takes of a multiprocessor.</summary>
internal static partial class Ptxas
{
    /// <summary>Assembles PTX for an architecture ("sm_90").</summary>
    /// <param name="program">Path of ptxas.</param>
    /// <param name="ptx">The text.</param>
    /// <param name="architecture">For what.</param>
    /// <returns>Every entry point with what it takes.</returns>
    /// <exception cref="InvalidOperationException">It refuses, or does not say what an entry takes; the message holds its words.</exception>
    public static IReadOnlyDictionary<string, KernelUse> Assemble(string program, string ptx, string architecture)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, ptx);
            var start = new ProcessStartInfo(program, ["-arch=" + architecture, "-v", "-o", "/dev/null", file])
            {
                RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            var words = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0) throw new InvalidOperationException($"ptxas refuses the kernel for {architecture}: {words}");
            var entries = Entry().Matches(words).ToDictionary(m => m.Groups[1].Value, m => Use(m.Groups[2].Value));
            return entries.Count > 0 ? entries
                : throw new InvalidOperationException($"ptxas did not speak of any entry point: {words}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static KernelUse Use(string words)
    {
        int Number(Regex pattern) => pattern.Match(words) is { Success: true } m
            ? int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"ptxas did not say what was looked for ({pattern}): {words}");
        return new KernelUse(Number(Registers()), SharedMemory().IsMatch(words) ? Number(SharedMemory()) : 0, Number(Stack()),
            Number(SpillStores()) + Number(SpillLoads()));
    }

    /// <summary>The words on one entry point, up to those on the next.</summary>
    [GeneratedRegex("Compiling entry function '([^']+)'(.*?)(?=Compiling entry function|$)", RegexOptions.Singleline)]
    private static partial Regex Entry();

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
