namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Parts of the names of kernels.</summary>
internal static class KernelNames
{
    /// <summary>"float32" or "bfloat16".</summary>
    public static string Of<T>()
        where T : unmanaged, IElement<T> => typeof(T) == typeof(Full) ? "float32" : "bfloat16";

    /// <summary>"int32" or "int64".</summary>
    public static string OfIndex<T>()
        where T : unmanaged, IIndex => typeof(T) == typeof(Index32) ? "int32" : "int64";
}
