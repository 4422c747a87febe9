using System.Diagnostics;

namespace Data2Vec.Models;

/// <summary>
/// The peak of the process' resident memory, since the start of a run where the system can be asked for that.
/// </summary>
internal static class PeakMemory
{
    /// <summary>
    /// Begins anew: gives back what earlier runs of the process have left, and on Linux resets the peak to what is held
    /// then (proc_pid_clear_refs(5)). Elsewhere, or where that is forbidden, the peak stays that of the process.
    /// </summary>
    public static void Restart()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The number is then an upper bound, as everywhere else.
        }
    }

    /// <summary>The peak in MB.</summary>
    public static double Read()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / 1048576.0;
    }
}
