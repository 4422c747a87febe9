using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;

namespace Data2Vec.Tests.Gpu;

/// <summary>The CUDA backend on the emulator, and what its kernels did.</summary>
internal sealed class EmulatedCuda : IDisposable
{
    private readonly EmulatedDriver driver;

    /// <param name="mostShared">Shared memory that a block can ask for.</param>
    public EmulatedCuda(int mostShared = EmulatedDriver.LargeShared)
    {
        driver = new EmulatedDriver(mostShared);
        Device = new CudaBackend(new CudaRuntime(driver));
    }

    public CudaBackend Device { get; }

    /// <summary>
    /// The names of the kernels that a call launches, and how often banks of shared memory were asked twice.
    /// </summary>
    public (IReadOnlySet<string> Kernels, long BankConflicts) Watch(Action call)
    {
        var (kernels, conflicts) = (new HashSet<string>(), 0L);
        driver.Launched = (kernel, counters) =>
        {
            kernels.Add(kernel.Name);
            conflicts += counters.BankConflicts;
        };
        call();
        driver.Launched = null;
        return (kernels, conflicts);
    }

    /// <summary>Disposes the driver too.</summary>
    public void Dispose() => Device.Dispose();
}
