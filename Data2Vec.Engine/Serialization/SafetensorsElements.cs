using System.Runtime.InteropServices;
using Data2Vec.Kernels;

namespace Data2Vec.Engine.Serialization;

/// <summary>Converts the bytes of elements to the host's number types.</summary>
internal static class SafetensorsElements
{
    public delegate void Converter<T>(SafetensorsType type, ReadOnlySpan<byte> bytes, Span<T> values);

    private delegate TTo Conversion<TFrom, TTo>(TFrom value);

    public static void ToSingle(SafetensorsType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (type)
        {
            case SafetensorsType.F64: Each<double, float>(bytes, values, x => (float)x); break;
            case SafetensorsType.F32: Each<float, float>(bytes, values, x => x); break;
            case SafetensorsType.F16: Float16.Widen(MemoryMarshal.Cast<byte, ushort>(bytes), values); break;
            case SafetensorsType.BF16: BFloat16.Widen(MemoryMarshal.Cast<byte, BFloat16>(bytes), values); break;
            default: throw new ArgumentException($"{type.Name()} is not a floating-point type.");
        }
    }

    public static void ToDouble(SafetensorsType type, ReadOnlySpan<byte> bytes, Span<double> values)
    {
        switch (type)
        {
            case SafetensorsType.F64: Each<double, double>(bytes, values, x => x); break;
            case SafetensorsType.F32: Each<float, double>(bytes, values, x => x); break;
            case SafetensorsType.F16: Each<ushort, double>(bytes, values, x => Float16.ToSingle(x)); break;
            case SafetensorsType.BF16: Each<BFloat16, double>(bytes, values, x => x.ToSingle()); break;
            case SafetensorsType.I64: Each<long, double>(bytes, values, x => x); break;
            case SafetensorsType.I32: Each<int, double>(bytes, values, x => x); break;
            case SafetensorsType.I16: Each<short, double>(bytes, values, x => x); break;
            case SafetensorsType.I8: Each<sbyte, double>(bytes, values, x => x); break;
            case SafetensorsType.U16: Each<ushort, double>(bytes, values, x => x); break;
            case SafetensorsType.U32: Each<uint, double>(bytes, values, x => x); break;
            case SafetensorsType.U64: Each<ulong, double>(bytes, values, x => x); break;
            default: Each<byte, double>(bytes, values, x => x); break;
        }
    }

    /// <exception cref="OverflowException">An unsigned element is 2^63 or more.</exception>
    public static void ToInt64(SafetensorsType type, ReadOnlySpan<byte> bytes, Span<long> values)
    {
        switch (type)
        {
            case SafetensorsType.I64: Each<long, long>(bytes, values, x => x); break;
            case SafetensorsType.I32: Each<int, long>(bytes, values, x => x); break;
            case SafetensorsType.I16: Each<short, long>(bytes, values, x => x); break;
            case SafetensorsType.I8: Each<sbyte, long>(bytes, values, x => x); break;
            case SafetensorsType.U8 or SafetensorsType.Bool: Each<byte, long>(bytes, values, x => x); break;
            case SafetensorsType.U16: Each<ushort, long>(bytes, values, x => x); break;
            case SafetensorsType.U32: Each<uint, long>(bytes, values, x => x); break;
            case SafetensorsType.U64: Each<ulong, long>(bytes, values, x => checked((long)x)); break;
            default: throw new ArgumentException($"{type.Name()} is not an integer type.");
        }
    }

    private static void Each<TFrom, TTo>(
        ReadOnlySpan<byte> bytes, Span<TTo> values, Conversion<TFrom, TTo> convert)
        where TFrom : unmanaged
    {
        var source = MemoryMarshal.Cast<byte, TFrom>(bytes);
        for (var i = 0; i < source.Length; i++) values[i] = convert(source[i]);
    }
}
