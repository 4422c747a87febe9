using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// How a floating-point number lies in device memory. Kernels are generic over it, read and write through it and compute in
/// float32; a struct of one field costs nothing on the device.
/// </summary>
internal interface IElement<TSelf>
    where TSelf : unmanaged, IElement<TSelf>
{
    /// <summary>The number as float32; exact.</summary>
    float Widen();

    /// <summary>The nearest number of this type; to be called on a default value.</summary>
    TSelf Narrow(float value);
}

/// <summary>A float32.</summary>
internal readonly struct Full(float value) : IElement<Full>
{
    private readonly float value = value;

    public float Widen() => value;

    public Full Narrow(float number) => new(number);
}

/// <summary>A bfloat16: the upper 16 bits of a float32, rounded to nearest even.</summary>
internal readonly struct Brain(ushort bits) : IElement<Brain>
{
    private readonly ushort bits = bits;

    public float Widen() => Interop.IntAsFloat((uint)bits << 16);

    public Brain Narrow(float number)
    {
        var whole = Interop.FloatAsInt(number);
        // NaN keeps its sign and becomes quiet: rounding could carry its payload into the exponent.
        if ((whole & 0x7FFFFFFF) > 0x7F800000) return new Brain((ushort)((whole >> 16) | 0x40));
        return new Brain((ushort)((whole + 0x7FFF + ((whole >> 16) & 1)) >> 16));
    }
}

/// <summary>Four elements side by side: one transaction of 16 (float32) or 8 bytes (bfloat16).</summary>
internal struct Four<T>
    where T : unmanaged
{
    public T A, B, C, D;
}

/// <summary>How an index lies in device memory.</summary>
internal interface IIndex
{
    long Value { get; }
}

/// <summary>A byte: uint8 or bool, where kernels read it as an integer.</summary>
internal readonly struct Index8(byte value) : IIndex
{
    private readonly byte value = value;

    public long Value => value;
}

/// <summary>An int32 index.</summary>
internal readonly struct Index32(int value) : IIndex
{
    private readonly int value = value;

    public long Value => value;
}

/// <summary>An int64 index.</summary>
internal readonly struct Index64(long value) : IIndex
{
    private readonly long value = value;

    public long Value => value;
}
