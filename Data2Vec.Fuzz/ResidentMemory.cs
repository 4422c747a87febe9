using System.Globalization;

namespace Data2Vec.Fuzz;

/// <summary>
/// The memory of this process that lies in RAM, buffers of native libraries included. Only Linux tells it cheaply
/// (proc_pid_status(5), and proc(5) on clear_refs); elsewhere nothing rises.
/// </summary>
internal static class ResidentMemory
{
    /// <summary>Bytes now; the peak is counted from here on.</summary>
    public static long Start()
    {
        if (!OperatingSystem.IsLinux()) return 0;
        File.WriteAllText("/proc/self/clear_refs", "5");
        return Field("VmRSS:");
    }

    /// <summary>By how many bytes the peak since <see cref="Start"/> lies above what it gave.</summary>
    public static long PeakAbove(long start) => OperatingSystem.IsLinux() ? Field("VmHWM:") - start : 0;

    private static long Field(string name)
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
            if (line.StartsWith(name, StringComparison.Ordinal))
                return long.Parse(line.AsSpan(name.Length).Trim().TrimEnd("kB ").Trim(), CultureInfo.InvariantCulture)
                    << 10;
        throw new NotSupportedException($"/proc/self/status has no field {name}");
    }
}
