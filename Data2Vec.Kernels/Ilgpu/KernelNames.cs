namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Parts of the names of kernels.</summary>
internal static class KernelNames
{
    /// <summary>"float32" or "bfloat16".</summary>
    public static string Of<T>()
        where T : unmanaged, IElement<T> => typeof(T) == typeof(Full) ? "float32" : "bfloat16";

    /// <summary>"uint8", "int32" or "int64".</summary>
    public static string OfIndex<T>()
        where T : unmanaged, IIndex => typeof(T) == typeof(Index8) ? "uint8" : typeof(T) == typeof(Index32) ? "int32" : "int64";

    /// <summary>"16_bytes": kernels that only move elements know their size and not their type.</summary>
    public static string OfSize<T>()
        where T : unmanaged => $"{System.Runtime.CompilerServices.Unsafe.SizeOf<T>()}_bytes";
}
