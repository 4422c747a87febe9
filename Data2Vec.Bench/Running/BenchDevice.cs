using Data2Vec.Engine;

namespace Data2Vec.Bench.Running;

/// <summary>The devices of the command line: those of the engine.</summary>
internal static class BenchDevice
{
    public const string Names = "cpu, reference, cuda:N (an NVIDIA GPU), emulator (the same without one), ilgpu:N (a GPU), "
        + "ilgpu:cpu (ILGPU's CPU accelerator), delayed (the cpu behind a queue), delayed:reference, auto";

    /// <exception cref="ArgumentException">There is no such device; the sentence names those there are.</exception>
    public static Device Open(string name, int? threads = null) => Device.Parse(name, threads ?? 0, Console.Error.WriteLine);

    /// <exception cref="UsageException">There is no such device; the sentence names those there are.</exception>
    public static Device Open(Request request)
    {
        try
        {
            return Open(request.Device, request.Threads);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new UsageException(e.Message);
        }
    }
}
