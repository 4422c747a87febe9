using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Running;

/// <summary>The devices of the command line: those of the engine, and the delayed ones that exist for tests.</summary>
internal static class BenchDevice
{
    public const string Names = "cpu, reference, delayed (over reference), delayed:cpu";

    /// <exception cref="ArgumentException">There is no such device; the sentence names those there are.</exception>
    public static Device Open(string name, int? threads = null) => name switch
    {
        "reference" => new Device(name, new ReferenceBackend()),
        "delayed" or "delayed:reference" => new Device(name, new DelayedBackend(new ReferenceBackend())),
        _ => throw new ArgumentException($"There is no device \"{name}\"; there are {Names}."),
    };
}
