using System.Globalization;
using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public sealed partial class Device
{
    private static readonly string[] Kinds =
        ["cpu", "reference", "cuda:N", "emulator", "ilgpu:N", "ilgpu:cpu", "delayed", "delayed:reference", "auto"];

    /// <summary>
    /// A device by name: "cpu", "reference", "cuda:N" (NVIDIA GPU number N, hand-written kernels),
    /// "emulator" (tests: the same on an interpreter of PTX), "ilgpu:N" (GPU number N, as <see cref="IlgpuDevices.Find"/> counts), "ilgpu:cpu"
    /// (tests: ILGPU's CPU accelerator), "delayed" (tests: the cpu behind a queue), "delayed:reference", or "auto", which takes
    /// the fastest that works and logs what it chose and why.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="threads">Threads of the cpu; 0 = all cores.</param>
    /// <param name="log">Told what "auto" chose.</param>
    /// <exception cref="ArgumentException">No such device; the sentence lists those there are.</exception>
    /// <exception cref="NotSupportedException">The device is there and cannot be used; the sentence says why.</exception>
    public static Device Parse(string name, int threads = 0, Action<string>? log = null)
    {
        switch (name)
        {
            case "auto": return Choose(threads, log);
            case "cpu": return new Device(name, CpuBackend.Create(threads));
            case "reference": return new Device(name, new ReferenceBackend());
            case "emulator": return new Device(name, CudaDevices.OpenEmulator());
            case "ilgpu:cpu": return new Device(name, IlgpuDevices.OpenCpu());
            case "delayed": return new Device(name, new DelayedBackend(CpuBackend.Create(threads)));
            case "delayed:reference": return new Device(name, new DelayedBackend(new ReferenceBackend()));
            default:
                if (name.StartsWith("ilgpu:", StringComparison.Ordinal)
                    && int.TryParse(name.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    return new Device(name, IlgpuDevices.Open(number));
                }
                if (name.StartsWith("cuda:", StringComparison.Ordinal)
                    && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var gpu))
                {
                    return new Device(name, CudaDevices.Open(gpu));
                }
                throw new ArgumentException($"There is no device '{name}'; expected one of {string.Join(", ", Kinds)}.");
        }
    }

    /// <summary>
    /// The first NVIDIA GPU, or the cpu and why no GPU was taken. OpenCL devices are taken by name only: some are processors in
    /// disguise.
    /// </summary>
    private static Device Choose(int threads, Action<string>? log)
    {
        var reason = "no NVIDIA GPU; `data2vec doctor` shows what was tried";
        try
        {
            if (CudaDevices.Count(out _) > 0)
            {
                var device = Parse("cuda:0");
                log?.Invoke($"device auto: {device} (the first NVIDIA GPU)");
                return device;
            }
        }
        catch (NotSupportedException e)
        {
            reason = $"no GPU: {e.Message}";
        }
        var cpu = Parse("cpu", threads);
        log?.Invoke($"device auto: {cpu} ({reason})");
        return cpu;
    }
}
