using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Powers, in double: a rounding error of the logarithm is multiplied by the exponent, so that float32 would lose digits.
/// Good to a relative error of 1e-12, which float32 results do not see.
/// </summary>
internal static partial class DeviceMath
{
    /// <summary>
    /// x^y with the special cases of IEEE 754 (1 for y = 0 and for x = 1, whatever the other is). Finite beyond the range of
    /// float32, where it becomes infinite or 0 as soon as it is rounded.
    /// </summary>
    public static double Pow(double x, double y)
    {
        if (y == 0 || x == 1) return 1;
        if (double.IsNaN(x) || double.IsNaN(y)) return double.NaN;
        var a = x < 0 ? -x : x;
        // 1 to an infinite power would be 0 * infinity.
        var magnitude = a == 1 ? 1 : Exp(y * Log(a));
        var negative = Interop.FloatAsInt(x) >> 63 != 0;
        if (!negative) return magnitude;
        if (!IsWhole(y)) return x == 0 || a == double.PositiveInfinity ? magnitude : double.NaN;
        return IsWhole(y * 0.5) ? magnitude : -magnitude;
    }

    /// <summary>e^x for what float32 can hold, and a wide margin: beyond e^±700 the result stays there.</summary>
    public static double Exp(double x)
    {
        if (double.IsNaN(x)) return x;
        var clamped = x > 700 ? 700 : x < -700 ? -700 : x;
        // To the nearest integer: the sum has no room for a fraction.
        var n = clamped * 1.4426950408889634 + 6755399441055744.0 - 6755399441055744.0;
        // ln 2 in two parts: n times the first is exact.
        var r = clamped - n * 0.693147180369123816490 - n * 1.90821492927058770002e-10;
        // The series of e^r up to r^11, for |r| at most ln 2 / 2.
        var p = 1.0 / 39916800;
        p = p * r + 1.0 / 3628800;
        p = p * r + 1.0 / 362880;
        p = p * r + 1.0 / 40320;
        p = p * r + 1.0 / 5040;
        p = p * r + 1.0 / 720;
        p = p * r + 1.0 / 120;
        p = p * r + 1.0 / 24;
        p = p * r + 1.0 / 6;
        p = p * r + 0.5;
        return (p * r * r + r + 1) * Interop.IntAsFloat((ulong)((long)n + 1023) << 52);
    }

    /// <summary>Natural logarithm of a float32 number: -inf at 0, NaN below.</summary>
    public static double Log(double x)
    {
        if (!(x > 0)) return x == 0 ? double.NegativeInfinity : double.NaN;
        if (x == double.PositiveInfinity) return x;
        var bits = Interop.FloatAsInt(x);
        double e = (long)(bits >> 52) - 1023;
        var m = Interop.IntAsFloat((bits & 0xFFFFFFFFFFFFFul) | 0x3FF0000000000000ul);
        if (m > 1.4142135623730951)
        {
            m *= 0.5;
            e += 1;
        }
        // log m = 2 artanh s, s at most 0.172: the series up to s^19.
        var s = (m - 1) / (m + 1);
        var z = s * s;
        var p = 1.0 / 19;
        p = p * z + 1.0 / 17;
        p = p * z + 1.0 / 15;
        p = p * z + 1.0 / 13;
        p = p * z + 1.0 / 11;
        p = p * z + 1.0 / 9;
        p = p * z + 1.0 / 7;
        p = p * z + 1.0 / 5;
        p = p * z + 1.0 / 3;
        return e * 0.6931471805599453 + 2 * (s + s * z * p);
    }

    /// <summary>True for integers and the infinities.</summary>
    private static bool IsWhole(double y)
    {
        // From 2^52 on every double is whole.
        if (!(y > -4503599627370496.0 && y < 4503599627370496.0)) return !double.IsNaN(y);
        return (long)y == y;
    }
}
