using System.Runtime.InteropServices;
using Data2Vec.Engine;
using Data2Vec.Kernels;
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
        output.WriteLine($"kernels     kept in {KernelCache.Description}");
        output.WriteLine("devices");
        foreach (var name in new[] { "cpu", "reference" })
        {
            using var device = Device.Parse(name);
            output.WriteLine($"  {name,-10} {device}");
        }
        foreach (var line in CudaGpus().Concat(Gpus())) output.WriteLine($"  {line}");
        output.WriteLine($"  {"cublaslt",-10} {CudaDevices.CublasLtState}");
        output.WriteLine("libraries (for GPUs)");
        foreach (var (library, result) in LibraryProbe.Run()) output.WriteLine($"  {library,-38} {result}");
    }

    /// <summary>Every NVIDIA GPU that the driver knows, and whether it opens.</summary>
    private static IEnumerable<string> CudaGpus()
    {
        var count = CudaDevices.Count(out var reason);
        return count == 0 ? [$"{"cuda",-10} none: {reason}"] : Enumerable.Range(0, count).Select(n => Opened($"cuda:{n}", "NVIDIA GPU"));
    }

    /// <summary>Every GPU that ILGPU knows, and whether a backend opens on it.</summary>
    private static IEnumerable<string> Gpus()
    {
        IReadOnlyList<IlgpuDevice> found;
        try
        {
            found = IlgpuDevices.Find();
        }
        catch (NotSupportedException e)
        {
            return [$"{"ilgpu",-10} {e.Message}"];
        }
        return found.Count == 0 ? [$"{"ilgpu",-10} no GPU found; the loader's words on each library stand below"] : found.Select(Line);
    }

    private static string Line(IlgpuDevice gpu) => Opened($"ilgpu:{gpu.Number}", $"{gpu.Name} ({gpu.Kind})",
        $", {gpu.MemoryBytes / 1048576:N0} MiB, {gpu.Multiprocessors} multiprocessors");

    private static string Opened(string name, string what, string more = "")
    {
        try
        {
            using var device = Device.Parse(name);
            return $"{name,-10} {device}{more}";
        }
        catch (NotSupportedException e)
        {
            return $"{name,-10} {what}: {e.Message}";
        }
    }
}
