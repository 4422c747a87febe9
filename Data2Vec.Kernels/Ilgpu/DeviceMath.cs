using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Elementary functions for kernels, in float32, of nothing but additions, products, divisions and bits: the same on every
/// device, within the last bits, and to the accuracy of the cpu backend (`LaneMath`, where the sources of the polynomials
/// stand). ILGPU's own functions are approximate on some devices and missing on others.
/// </summary>
internal static partial class DeviceMath
{
    /// <summary>e^x: 2^n times a polynomial of x - n ln 2; overflows to infinity, underflows through subnormals to 0.</summary>
    public static float Exp(float x) => ExpOfSum(x, 0);

    /// <summary>Natural logarithm: -inf at 0, NaN below.</summary>
    public static float Log(float x)
    {
        if (!(x > 0)) return x == 0 ? float.NegativeInfinity : float.NaN;
        if (x == float.PositiveInfinity) return x;
        // Subnormal numbers are brought into the normal range first.
        var tiny = x < 1.17549435e-38f;
        var bits = Interop.FloatAsInt(tiny ? x * 8388608 : x);
        float e = (int)(bits >> 23) - 127 - (tiny ? 23 : 0);
        var m = Interop.IntAsFloat((bits & 0x7FFFFFu) | 0x3F800000u);
        // m in [sqrt(1/2), sqrt(2)), so that log m is small where it meets e = 0.
        if (m > 1.41421356f)
        {
            m *= 0.5f;
            e += 1;
        }
        var f = m - 1;
        var z = f * f;
        var p = 7.0376836292e-2f;
        p = p * f - 1.1514610310e-1f;
        p = p * f + 1.1676998740e-1f;
        p = p * f - 1.2420140846e-1f;
        p = p * f + 1.4249322787e-1f;
        p = p * f - 1.6668057665e-1f;
        p = p * f + 2.0000714765e-1f;
        p = p * f - 2.4999993993e-1f;
        p = p * f + 3.3333331174e-1f;
        // ln 2 in two parts: e times the first is exact.
        var y = p * f * z - e * 2.12194440e-4f;
        y -= 0.5f * z;
        return e * 0.693359375f + (f + y);
    }

    /// <summary>tanh: odd polynomial near 0, 1 - 2 / (e^2x + 1) elsewhere; keeps the sign of zero.</summary>
    public static float Tanh(float x)
    {
        var a = Abs(x);
        if (!(a < 0.625f)) return CopySign(1 - 2 / (Exp(a + a) + 1), x);
        var z = x * x;
        var p = -5.70498872745e-3f;
        p = p * z + 2.06390887954e-2f;
        p = p * z - 5.37397155531e-2f;
        p = p * z + 1.33314422036e-1f;
        p = p * z - 3.33332819422e-1f;
        return CopySign(p * z * a + a, x);
    }

    /// <summary>1 / (1 + e^-x), accurate in both tails.</summary>
    public static float Sigmoid(float x)
    {
        var e = Exp(-Abs(x));
        var s = 1 / (1 + e);
        return x < 0 ? e * s : s;
    }

    /// <summary>Its derivative, accurate in both tails.</summary>
    public static float SigmoidSlope(float x)
    {
        var e = Exp(-Abs(x));
        var s = 1 / (1 + e);
        return e * s * s;
    }

    /// <summary>x / (1 + e^-x); NaN at -inf, as the product is.</summary>
    public static float Silu(float x) => x * Sigmoid(x);

    /// <summary>The derivative of <see cref="Silu"/>; NaN at both infinities.</summary>
    public static float SiluSlope(float x)
    {
        var e = Exp(-Abs(x));
        var s = 1 / (1 + e);
        var other = e * s;
        return (x < 0 ? other : s) * (x * (x < 0 ? s : other) + 1);
    }

    /// <summary>log(1 + e^x), accurate in both tails.</summary>
    public static float Softplus(float x)
    {
        var e = Exp(-Abs(x));
        // log(1 + e) for e in [0, 1]: what rounding takes from 1 + e, it takes from the quotient too.
        var sum = 1 + e;
        var tail = sum == 1 ? e : Log(sum) * (e / (sum - 1));
        return (x > 0 || float.IsNaN(x) ? x : 0) + tail;
    }

    /// <summary>erf: odd polynomial for |x| below 1, 1 - erfc beyond; keeps the sign of zero.</summary>
    public static float Erf(float x)
    {
        var a = Abs(x);
        if (!(a < 1))
        {
            var erfc = 2 * NormalTail(a * 1.41421356f, GaussianOf(a, 1));
            return float.IsNaN(x) ? x : CopySign(1 - erfc, x);
        }
        var z = x * x;
        var p = 7.853861353153693e-5f;
        p = p * z - 8.010193625184903e-4f;
        p = p * z + 5.188327685732524e-3f;
        p = p * z - 2.685381193529856e-2f;
        p = p * z + 1.128358514861418e-1f;
        p = p * z - 3.761262582423300e-1f;
        p = p * z + 1.128379165726710e0f;
        return CopySign(p * a, x);
    }

    /// <summary>e^(-x²), the rounding error of x² put right.</summary>
    public static float GaussianOfSquare(float x) => GaussianOf(Abs(x), 1);

    /// <summary>x Phi(x), relatively accurate for very negative x; NaN at -inf, as the product is.</summary>
    public static float Gelu(float x) => x * NormalCdf(x, out _);

    /// <summary>Phi(x) + x phi(x); NaN at both infinities, as the product is.</summary>
    public static float GeluSlope(float x)
    {
        var cdf = NormalCdf(x, out var gaussian);
        return x * 0.3989422804f * gaussian + cdf;
    }

    /// <summary>The tanh approximation of GELU, as x / (1 + e^-2u): the tail keeps its accuracy. NaN at -inf.</summary>
    public static float GeluTanh(float x) => x * Sigmoid(TwiceTanhArgument(x));

    /// <summary>Its derivative; NaN at both infinities.</summary>
    public static float GeluTanhSlope(float x)
    {
        // Beyond 30 the sigmoid is 0 or 1 and its slope 0; clamped, or x² would overflow against that 0.
        var near = x > 30 ? 30 : x < -30 ? -30 : x;
        var u = TwiceTanhArgument(near);
        var e = Exp(-Abs(u));
        var s = 1 / (1 + e);
        var slope = e * s * s;
        if (x < 0) s = e * s;
        var inner = 1.5957691216f * (near * near * (3 * 0.044715f) + 1);
        // x - x: 0, but NaN for an infinity.
        return near * slope * inner + s + (x - x);
    }

    public static float Sqrt(float x) => MathF.Sqrt(x);

    public static float Abs(float x) => Interop.IntAsFloat(Interop.FloatAsInt(x) & 0x7FFFFFFFu);

    /// <summary>The magnitude of one value with the sign of another; signs of zeros count.</summary>
    public static float CopySign(float magnitude, float sign) => Interop.IntAsFloat(
        (Interop.FloatAsInt(magnitude) & 0x7FFFFFFFu) | (Interop.FloatAsInt(sign) & 0x80000000u));

    /// <summary>The larger; NaN when one is NaN (a GPU's own instruction would give the other).</summary>
    public static float Max(float a, float b) => a > b || float.IsNaN(a) ? a : b;

    /// <summary>The smaller; NaN when one is NaN.</summary>
    public static float Min(float a, float b) => a < b || float.IsNaN(a) ? a : b;

    public static bool IsFinite(float x) => (Interop.FloatAsInt(x) & 0x7F800000u) != 0x7F800000u;

    /// <summary>Towards zero; keeps the sign of zero.</summary>
    public static float Truncate(float x)
    {
        // From 2^23 on every float32 is whole; NaN and the infinities go the same way.
        if (!(Abs(x) < 8388608)) return x;
        return CopySign((int)x, x);
    }

    /// <summary>The largest integer not above; keeps the sign of zero.</summary>
    public static float Floor(float x)
    {
        var whole = Truncate(x);
        return whole > x ? whole - 1 : whole;
    }

    /// <summary>To the nearest integer, ties to even, for |x| below 2^22.</summary>
    public static float Round(float x) => x + 12582912f - 12582912f;

    /// <summary>x^n in double by repeated squaring.</summary>
    public static double Power(double x, int n)
    {
        var result = 1.0;
        for (var left = n; left > 0; left >>= 1)
        {
            if ((left & 1) != 0) result *= x;
            x *= x;
        }
        return result;
    }

    /// <summary>2^n for n in [-126, 127].</summary>
    private static float TwoTo(int n) => Interop.IntAsFloat((uint)(n + 127) << 23);

    /// <summary>e^(x + low), where low is the part of the argument that did not fit into x, far below 1.</summary>
    private static float ExpOfSum(float x, float low)
    {
        if (float.IsNaN(x)) return x;
        // Where e^x is certainly infinite or 0 the reduction must not see the argument itself.
        var clamped = x > 88.8f ? 88.8f : x < -104 ? -104 : x;
        var n = Round(clamped * 1.44269504f);
        var r = clamped - n * 0.693359375f;
        r = r + n * 2.12194440e-4f + low;
        var p = 1.9875691500e-4f;
        p = p * r + 1.3981999507e-3f;
        p = p * r + 8.3334519073e-3f;
        p = p * r + 4.1665795894e-2f;
        p = p * r + 1.6666665459e-1f;
        p = p * r + 5.0000001201e-1f;
        // In two factors: 2^n itself may be no normal number.
        var half = (int)n >> 1;
        return (p * r * r + r + 1) * TwoTo(half) * TwoTo((int)n - half);
    }

    /// <summary>e^(-a² factor) for a at least 0 and a power of two; the rounding error of a² is put right.</summary>
    private static float GaussianOf(float a, float factor)
    {
        // Zero from 20 on in any case, and a² must stay finite for its error to be a number.
        var near = a > 20 ? 20 : a;
        var square = near * near;
        // Upper and lower half of the digits: their products are exact.
        var high = Interop.IntAsFloat(Interop.FloatAsInt(near) & 0xFFFFF000u);
        var rest = near - high;
        var error = high * high - square + 2 * high * rest + rest * rest;
        return ExpOfSum(-(square * factor), -(error * factor));
    }

    /// <summary>Phi(-t) for t at least 0, given e^(-t²/2).</summary>
    private static float NormalTail(float t, float gaussian)
    {
        var u = 1 / ((t > 20 ? 20 : t) * 0.3125f + 1);
        var p = -0.0183528308f;
        p = p * u + 0.0879669413f;
        p = p * u - 0.143402994f;
        p = p * u + 0.0647033602f;
        p = p * u + 0.00485084299f;
        p = p * u + 0.0519018844f;
        p = p * u + 0.0912300646f;
        p = p * u + 0.111664832f;
        p = p * u + 0.124773577f;
        p = p * u + 0.124664314f;
        return p * u * gaussian;
    }

    /// <summary>Standard normal distribution function, and e^(-x²/2).</summary>
    private static float NormalCdf(float x, out float gaussian)
    {
        var t = Abs(x);
        gaussian = GaussianOf(t, 0.5f);
        var tail = NormalTail(t, gaussian);
        return x < 0 ? tail : 1 - tail;
    }

    /// <summary>2 sqrt(2/pi) (x + 0.044715 x³).</summary>
    private static float TwiceTanhArgument(float x) => 1.5957691216f * (x * x * 0.044715f * x + x);
}
