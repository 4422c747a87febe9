namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// float16, bfloat16 and tf32: bits to numbers and back. What is no number has all bits below the sign set.
/// </summary>
internal static class HalfFormats
{
    public static float FromBfloat16(uint bits) => BitConverter.UInt32BitsToSingle(bits << 16);

    public static float FromFloat16(uint bits) => (float)BitConverter.UInt16BitsToHalf((ushort)bits);

    /// <summary>Rounded to nearest, ties to even.</summary>
    public static uint ToBfloat16(float x)
    {
        if (float.IsNaN(x)) return 0x7fff;
        var bits = BitConverter.SingleToUInt32Bits(x);
        return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    }

    /// <summary>Rounded towards zero.</summary>
    public static uint ToBfloat16TowardsZero(float x) =>
        float.IsNaN(x) ? 0x7fff : BitConverter.SingleToUInt32Bits(x) >> 16;

    public static uint ToFloat16(float x) => float.IsNaN(x) ? 0x7fffu : BitConverter.HalfToUInt16Bits((Half)x);

    /// <summary>Rounded towards zero: one step nearer to it where rounding to nearest went away from it.</summary>
    public static uint ToFloat16TowardsZero(float x)
    {
        if (float.IsNaN(x)) return 0x7fff;
        var nearest = BitConverter.HalfToUInt16Bits((Half)x);
        var away = float.IsFinite(x) && Math.Abs((float)BitConverter.UInt16BitsToHalf(nearest)) > Math.Abs(x);
        return (uint)(away ? nearest - 1 : nearest);
    }

    /// <summary>A float32 whose low 13 bits are zero, rounded to nearest, ties away from zero.</summary>
    public static uint ToTf32(float x)
    {
        if (float.IsNaN(x)) return 0x7fff_ffff;
        var bits = BitConverter.SingleToUInt32Bits(x);
        return float.IsInfinity(x) ? bits : bits + 0x1000 & 0xffff_e000;
    }

    /// <summary>
    /// What a matrix instruction takes from the bits of a tf32 operand: it does not look at the low 13.
    /// </summary>
    public static float FromTf32(uint bits) => BitConverter.UInt32BitsToSingle(bits & 0xffff_e000);

    /// <summary>
    /// a + b rounded to odd: what two-sum finds left over sets the last bit, so that rounding on is that of the sum.
    /// </summary>
    public static double SumToOdd(double a, double b)
    {
        var sum = a + b;
        var part = sum - a;
        var rest = a - (sum - part) + (b - part);
        if (rest == 0 || !double.IsFinite(sum)) return sum;
        var bits = BitConverter.DoubleToUInt64Bits(sum);
        return BitConverter.UInt64BitsToDouble((rest > 0 != sum > 0 ? bits - 1 : bits) | 1);
    }

    /// <summary>
    /// A float32 that rounds on to fewer bits as the double does: inexact results get an odd last bit. Source: Boldo
    /// and Melquiond 2008, "Emulation of a FMA and correctly rounded sums".
    /// </summary>
    public static float RoundToOdd(double x)
    {
        var nearest = (float)x;
        if (nearest == x || !double.IsFinite(x)) return nearest;
        var bits = BitConverter.SingleToUInt32Bits(nearest);
        if (float.IsInfinity(nearest)) return BitConverter.UInt32BitsToSingle(bits - 1);
        var truncated = Math.Abs((double)nearest) > Math.Abs(x) ? bits - 1 : bits;
        return BitConverter.UInt32BitsToSingle(truncated | 1);
    }
}
