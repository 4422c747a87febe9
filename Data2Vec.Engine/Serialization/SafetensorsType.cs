using Data2Vec.Kernels;

namespace Data2Vec.Engine.Serialization;

/// <summary>Element types of the safetensors format; all little-endian.</summary>
public enum SafetensorsType
{
    /// <summary>IEEE 754 binary64.</summary>
    F64,

    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>The upper half of a float32.</summary>
    BF16,

    /// <summary>64-bit signed integer.</summary>
    I64,

    /// <summary>32-bit signed integer.</summary>
    I32,

    /// <summary>16-bit signed integer.</summary>
    I16,

    /// <summary>8-bit signed integer.</summary>
    I8,

    /// <summary>8-bit unsigned integer.</summary>
    U8,

    /// <summary>16-bit unsigned integer.</summary>
    U16,

    /// <summary>32-bit unsigned integer.</summary>
    U32,

    /// <summary>64-bit unsigned integer.</summary>
    U64,

    /// <summary>One byte, 0 or 1.</summary>
    Bool,
}

/// <summary>Facts about the element types of the format.</summary>
public static class SafetensorsTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this SafetensorsType type) => type switch
    {
        SafetensorsType.F64 or SafetensorsType.I64 or SafetensorsType.U64 => 8,
        SafetensorsType.F32 or SafetensorsType.I32 or SafetensorsType.U32 => 4,
        SafetensorsType.F16 or SafetensorsType.BF16 or SafetensorsType.I16 or SafetensorsType.U16 => 2,
        _ => 1,
    };

    /// <summary>The name that stands in a header: "F32", "BOOL", ...</summary>
    public static string Name(this SafetensorsType type) => type.ToString().ToUpperInvariant();

    /// <summary>The type of a header name; case counts.</summary>
    public static bool TryParse(string? name, out SafetensorsType type)
    {
        foreach (var candidate in Enum.GetValues<SafetensorsType>())
        {
            type = candidate;
            if (candidate.Name() == name) return true;
        }
        type = default;
        return false;
    }

    /// <summary>The file type whose elements are stored exactly as <typeparamref name="T"/>.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static SafetensorsType Of<T>()
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return SafetensorsType.F64;
        if (typeof(T) == typeof(float)) return SafetensorsType.F32;
        if (typeof(T) == typeof(Half)) return SafetensorsType.F16;
        if (typeof(T) == typeof(BFloat16)) return SafetensorsType.BF16;
        if (typeof(T) == typeof(long)) return SafetensorsType.I64;
        if (typeof(T) == typeof(int)) return SafetensorsType.I32;
        if (typeof(T) == typeof(short)) return SafetensorsType.I16;
        if (typeof(T) == typeof(sbyte)) return SafetensorsType.I8;
        if (typeof(T) == typeof(byte)) return SafetensorsType.U8;
        if (typeof(T) == typeof(ushort)) return SafetensorsType.U16;
        if (typeof(T) == typeof(uint)) return SafetensorsType.U32;
        if (typeof(T) == typeof(ulong)) return SafetensorsType.U64;
        if (typeof(T) == typeof(bool)) return SafetensorsType.Bool;
        throw new ArgumentException($"{typeof(T).Name} is not an element type of safetensors files.");
    }
}
