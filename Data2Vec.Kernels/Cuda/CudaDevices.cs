using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;

namespace Data2Vec.Kernels;

/// <summary>Backends for CUDA devices.</summary>
public static class CudaDevices
{
    /// <summary>NVIDIA GPUs that the driver has.</summary>
    /// <param name="reason">Why there are none.</param>
    public static int Count(out string reason) => NativeDriver.Count(out reason);

    /// <summary>An NVIDIA GPU by its number, through the binding that DATA2VEC_CUDA_BINDING names.</summary>
    /// <exception cref="NotSupportedException">There is no driver or no such device; the sentence says what was tried.</exception>
    public static CudaBackend Open(int number) => new(new CudaRuntime(CudaBinding.Open(number)));

    /// <summary>
    /// The same host code and kernels on an interpreter of PTX, for tiny cases on machines without a GPU: see docs/emulator.md.
    /// </summary>
    public static CudaBackend OpenEmulator() => new(new CudaRuntime(new EmulatedDriver()));
}
