namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// By which declarations NVIDIA's driver is called: our own, or those of ManagedCuda where they are built in.
/// </summary>
internal static class CudaBinding
{
    /// <summary>
    /// The environment variable that says which: "driver" (our own, also when it is not set) or "managedcuda".
    /// </summary>
    public const string Variable = "DATA2VEC_CUDA_BINDING";

    /// <summary>A device through the binding that the environment asks for.</summary>
    /// <exception cref="NotSupportedException">There is no such binding or device; the sentence says why.</exception>
    public static ICudaDriver Open(int number) => Open(number, Environment.GetEnvironmentVariable(Variable));

    /// <summary>A device through a binding.</summary>
    internal static ICudaDriver Open(int number, string? binding) => binding switch
    {
        null or "" or "driver" => NativeDriver.Open(number),
#if MANAGED_CUDA
        "managedcuda" => ManagedCudaDriver.Open(number),
#else
        "managedcuda" => throw new NotSupportedException(
            $"{Variable}=managedcuda asks for ManagedCuda, which only builds made with -p:ManagedCuda=true have."),
#endif
        _ => throw new NotSupportedException($"{Variable} is '{binding}'; expected 'driver' or 'managedcuda'."),
    };
}
