using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;

namespace Data2Vec.Kernels;

/// <summary>Backends for CUDA devices.</summary>
public static class CudaDevices
{
    /// <summary>NVIDIA GPUs that the driver has.</summary>
    /// <param name="reason">Why there are none.</param>
    public static int Count(out string reason) => NativeDriver.Count(out reason);

    /// <summary>
    /// An NVIDIA GPU by its number, through the binding that DATA2VEC_CUDA_BINDING names, with cuBLASLt if
    /// DATA2VEC_CUBLASLT asks for it. Steps are replayed as CUDA graphs unless DATA2VEC_CUDA_GRAPHS is "off".
    /// </summary>
    /// <exception cref="NotSupportedException">There is no driver or no such device; the sentence says what was tried.</exception>
    public static CudaBackend Open(int number)
    {
        var library = CublasLtApi.Asked();
        var driver = CudaBinding.Open(number);
        try
        {
            return new CudaBackend(new CudaRuntime(driver), library is null ? null : new CublasLt(library, driver))
            {
                ReplaysSteps = Environment.GetEnvironmentVariable("DATA2VEC_CUDA_GRAPHS") != "off",
            };
        }
        catch (CudaException e)
        {
            driver.Dispose();
            throw new NotSupportedException($"The device 'cuda:{number}' cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Whether cuBLASLt is asked for and where it was found, or what was tried; for people.</summary>
    public static string CublasLtState => CublasLtApi.State();

    /// <summary>
    /// The same host code and kernels on an interpreter of PTX, for tiny cases on machines without a GPU: see docs/emulator.md.
    /// </summary>
    public static CudaBackend OpenEmulator() => new(new CudaRuntime(new EmulatedDriver()));
}
