using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

// Shifts stop at the width (a shift by it or more leaves nothing but the sign); C# would take the shift modulo the
// width.

internal struct Left16 : IBinary<uint, uint, uint>
{
    public static uint Do(uint a, uint n) => n > 15 ? 0u : (ushort)(a << (int)n);
}

internal struct Left32 : IBinary<uint, uint, uint>
{
    public static uint Do(uint a, uint n) => n > 31 ? 0 : a << (int)n;
}

internal struct Left64 : IBinary<ulong, uint, ulong>
{
    public static ulong Do(ulong a, uint n) => n > 63 ? 0 : a << (int)n;
}

/// <summary>Also of 16 bits, above which there are zeros.</summary>
internal struct Right32 : IBinary<uint, uint, uint>
{
    public static uint Do(uint a, uint n) => n > 31 ? 0 : a >> (int)n;
}

internal struct RightSigned16 : IBinary<uint, uint, uint>
{
    public static uint Do(uint a, uint n) => (ushort)((short)a >> (int)Math.Min(n, 15));
}

internal struct RightSigned32 : IBinary<int, uint, int>
{
    public static int Do(int a, uint n) => a >> (int)Math.Min(n, 31);
}

internal struct Right64 : IBinary<ulong, uint, ulong>
{
    public static ulong Do(ulong a, uint n) => n > 63 ? 0 : a >> (int)n;
}

internal struct RightSigned64 : IBinary<long, uint, long>
{
    public static long Do(long a, uint n) => a >> (int)Math.Min(n, 63);
}

/// <summary>The high word of b:a moved left by n modulo 32.</summary>
internal struct FunnelLeftWrap : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint b, uint n) => (uint)(((ulong)b << 32 | a) << (int)(n & 31) >> 32);
}

/// <summary>The high word of b:a moved left by n, at most 32.</summary>
internal struct FunnelLeftClamp : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint b, uint n) => n >= 32 ? a : FunnelLeftWrap.Do(a, b, n);
}

/// <summary>The low word of b:a moved right by n modulo 32.</summary>
internal struct FunnelRightWrap : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint b, uint n) => (uint)(((ulong)b << 32 | a) >> (int)(n & 31));
}

/// <summary>The low word of b:a moved right by n, at most 32.</summary>
internal struct FunnelRightClamp : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint b, uint n) => n >= 32 ? b : FunnelRightWrap.Do(a, b, n);
}

/// <summary>Bits of a from a position on; position and length are bytes.</summary>
internal struct Extract32 : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint position, uint length) => (uint)Extract64.Do(a, position, length);
}

internal struct Extract64 : ITernary<ulong, uint, uint, ulong>
{
    public static ulong Do(ulong a, uint position, uint length)
    {
        var (from, count) = ((int)(position & 255), (int)(length & 255));
        var moved = from > 63 ? 0 : a >> from;
        return count > 63 ? moved : moved & ((1UL << count) - 1);
    }
}

/// <summary>
/// The same with the highest bit of the field repeated above it; beyond the register that is the sign.
/// </summary>
internal struct ExtractSigned32 : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint position, uint length) =>
        (uint)ExtractSigned64.Do((ulong)(long)(int)a, Math.Min(position & 255, 32), length);
}

internal struct ExtractSigned64 : ITernary<ulong, uint, uint, ulong>
{
    public static ulong Do(ulong a, uint position, uint length)
    {
        var (from, count) = ((int)(position & 255), (int)(length & 255));
        if (count == 0) return 0;
        var moved = (long)a >> Math.Min(from, 63);
        return (ulong)(count > 63 ? moved : moved << (64 - count) >> (64 - count));
    }
}

/// <summary>
/// Four bytes of b:a, picked by the low three bits of each nibble; its fourth bit repeats the byte's sign.
/// </summary>
internal struct PermuteBytes : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint b, uint selection)
    {
        var bytes = (ulong)b << 32 | a;
        var result = 0u;
        for (var n = 0; n < 4; n++)
        {
            var choice = (int)(selection >> 4 * n & 15);
            var value = (byte)(bytes >> 8 * (choice & 7));
            if ((choice & 8) != 0) value = (byte)((sbyte)value >> 7);
            result |= (uint)value << 8 * n;
        }
        return result;
    }
}

internal struct Ones32 : IUnary<uint, uint>
{
    public static uint Do(uint a) => (uint)BitOperations.PopCount(a);
}

internal struct Ones64 : IUnary<ulong, uint>
{
    public static uint Do(ulong a) => (uint)BitOperations.PopCount(a);
}

internal struct Zeros32 : IUnary<uint, uint>
{
    public static uint Do(uint a) => (uint)BitOperations.LeadingZeroCount(a);
}

internal struct Zeros64 : IUnary<ulong, uint>
{
    public static uint Do(ulong a) => (uint)BitOperations.LeadingZeroCount(a);
}

internal struct Reverse32 : IUnary<uint, uint>
{
    public static uint Do(uint a)
    {
        a = a >> 1 & 0x5555_5555 | (a & 0x5555_5555) << 1;
        a = a >> 2 & 0x3333_3333 | (a & 0x3333_3333) << 2;
        a = a >> 4 & 0x0f0f_0f0f | (a & 0x0f0f_0f0f) << 4;
        return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(a);
    }
}

internal struct Reverse64 : IUnary<ulong, ulong>
{
    public static ulong Do(ulong a) => (ulong)Reverse32.Do((uint)a) << 32 | Reverse32.Do((uint)(a >> 32));
}
