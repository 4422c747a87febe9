using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public sealed partial class Device
{
    private static readonly string[] Kinds = ["cpu", "reference", "delayed", "delayed:reference", "auto"];

    /// <summary>
    /// A device by name: "cpu", "reference", "delayed" (tests: the cpu behind a queue), "delayed:reference", or "auto",
    /// which takes the fastest that works and logs what it chose and why.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="threads">Threads of the cpu; 0 = all cores.</param>
    /// <param name="log">Told what "auto" chose.</param>
    /// <exception cref="ArgumentException">No such device; the sentence lists those there are.</exception>
    public static Device Parse(string name, int threads = 0, Action<string>? log = null)
    {
        switch (name)
        {
            case "auto":
                var cpu = Parse("cpu", threads);
                log?.Invoke($"device auto: {cpu} (no GPU backend in this version)");
                return cpu;
            case "cpu": return new Device(name, CpuBackend.Create(threads));
            case "reference": return new Device(name, new ReferenceBackend());
            case "ilgpu:cpu": return new Device(name, IlgpuDevices.OpenCpu());
            case "delayed": return new Device(name, new DelayedBackend(CpuBackend.Create(threads)));
            case "delayed:reference": return new Device(name, new DelayedBackend(new ReferenceBackend()));
            default:
                throw new ArgumentException($"There is no device '{name}'; expected one of {string.Join(", ", Kinds)}.");
        }
    }
}
