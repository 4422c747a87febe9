using System.Runtime.InteropServices;
using Data2Vec.Engine;
using Data2Vec.Kernels.Platform;

namespace Data2Vec.Cli;

/// <summary>What this machine offers, and why the rest cannot be used.</summary>
internal static class DoctorReport
{
    public static void Print(TextWriter output)
    {
        output.WriteLine($"system      {RuntimeInformation.OSDescription} ({RuntimeInformation.ProcessArchitecture})");
        output.WriteLine($"runtime     {RuntimeInformation.FrameworkDescription}");
        output.WriteLine($"processors  {Environment.ProcessorCount}");
        output.WriteLine($"memory      {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1048576:N0} MiB");
        output.WriteLine($"vectors     {Processor.InstructionSets()}");
        output.WriteLine("devices");
        foreach (var name in new[] { "cpu", "reference" })
        {
            using var device = Device.Parse(name);
            output.WriteLine($"  {name,-10} {device}");
        }
        output.WriteLine("libraries (for GPUs; this version computes on the CPU)");
        foreach (var (library, result) in LibraryProbe.Run()) output.WriteLine($"  {library,-38} {result}");
    }
}
