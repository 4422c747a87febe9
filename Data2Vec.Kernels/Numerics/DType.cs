namespace Data2Vec.Kernels;

/// <summary>Element type of a tensor. Float64 exists on the Reference backend only.</summary>
public enum DType : byte
{
    /// <summary>IEEE 754 binary32.</summary>
    Float32,

    /// <summary>IEEE 754 binary64; Reference backend only.</summary>
    Float64,

    /// <summary>The upper 16 bits of a float32 (Brain floating point); storage only, sums are float32.</summary>
    BFloat16,

    /// <summary>32-bit signed integer: token ids, row lists.</summary>
    Int32,

    /// <summary>64-bit signed integer.</summary>
    Int64,

    /// <summary>One byte, 0 or 1: masks.</summary>
    Bool,

    /// <summary>One unsigned byte: raw device tables.</summary>
    UInt8,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType type) => type switch
    {
        DType.Float32 or DType.Int32 => 4,
        DType.Float64 or DType.Int64 => 8,
        DType.BFloat16 => 2,
        _ => 1,
    };

    /// <summary>True for the types that carry gradients.</summary>
    public static bool IsFloat(this DType type) => type is DType.Float32 or DType.Float64 or DType.BFloat16;

    /// <summary>Distance from 1 to the next larger number of the type.</summary>
    /// <exception cref="ArgumentException">The type is not a floating-point type.</exception>
    public static double Epsilon(this DType type) => type switch
    {
        DType.Float32 => 1.1920929e-7,
        DType.Float64 => double.BitIncrement(1) - 1,
        DType.BFloat16 => 0.0078125,
        _ => throw new ArgumentException($"{type} is not a floating-point type, so it has no epsilon."),
    };

    /// <summary>The largest finite number of the type.</summary>
    /// <exception cref="ArgumentException">The type is not a floating-point type.</exception>
    public static double Largest(this DType type) => type switch
    {
        DType.Float32 => float.MaxValue,
        DType.Float64 => double.MaxValue,
        DType.BFloat16 => 3.3895313892515355e38,
        _ => throw new ArgumentException($"{type} is not a floating-point type, so none of its numbers is the largest finite one."),
    };

    /// <summary>The name used in messages, tables and file names: "float32", "bfloat16", "int64", ...</summary>
    public static string Name(this DType type) => type.ToString().ToLowerInvariant();
}
