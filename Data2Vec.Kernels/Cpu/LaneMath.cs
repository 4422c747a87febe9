using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Cpu;

/// <summary>
/// Elementary functions over lanes, in float32. Exponential, logarithm, and tanh and erf near 0 use the polynomials of
/// Moshier's Cephes library; the tail of the normal distribution a fit of our own. Relative errors against double, where
/// the hardware fuses multiply and add, are held by tests: at most 1.2e-7 for <see cref="Exp"/> and <see cref="Log"/>,
/// 2e-7 for <see cref="Tanh"/>, <see cref="Erf"/> and <see cref="Sigmoid"/>, 5e-7 for the others, far tails included.
/// Every function gives NaN for NaN, and the limit at infinity unless it says so.
/// </summary>
internal static class LaneMath<T>
    where T : struct, ILanes<T>
{
    /// <summary>e^x: 2^n times a polynomial of x - n ln 2; overflows to infinity, underflows through subnormals to 0.</summary>
    public static T Exp(T x) => ExpOfSum(x, C(0));

    /// <summary>Natural logarithm: -inf at 0, NaN below.</summary>
    public static T Log(T x)
    {
        // Subnormal numbers are brought into the normal range first.
        var tiny = T.Less(x, C(1.17549435e-38f));
        var a = T.Select(tiny, x * C(8388608), x);
        var e = T.Exponent(a) - T.Select(tiny, C(23), C(0));
        var m = T.Mantissa(a);
        // m in [sqrt(1/2), sqrt(2)), so that log m is small where it meets e = 0.
        var high = T.Less(C(1.41421356f), m);
        m = T.Select(high, m * C(0.5f), m);
        e = T.Select(high, e + C(1), e);
        var f = m - C(1);
        var z = f * f;
        var p = C(7.0376836292e-2f);
        p = T.MultiplyAdd(p, f, C(-1.1514610310e-1f));
        p = T.MultiplyAdd(p, f, C(1.1676998740e-1f));
        p = T.MultiplyAdd(p, f, C(-1.2420140846e-1f));
        p = T.MultiplyAdd(p, f, C(1.4249322787e-1f));
        p = T.MultiplyAdd(p, f, C(-1.6668057665e-1f));
        p = T.MultiplyAdd(p, f, C(2.0000714765e-1f));
        p = T.MultiplyAdd(p, f, C(-2.4999993993e-1f));
        p = T.MultiplyAdd(p, f, C(3.3333331174e-1f));
        // ln 2 in two parts: e times the first is exact.
        var y = T.MultiplyAdd(p * f, z, e * C(-2.12194440e-4f));
        y = T.NegMultiplyAdd(C(0.5f), z, y);
        y = T.MultiplyAdd(e, C(0.693359375f), f + y);
        y = T.Select(T.Less(x, C(float.PositiveInfinity)), y, x);
        y = T.Select(T.Equal(x, C(0)), C(float.NegativeInfinity), y);
        return T.Select(T.Less(x, C(0)), C(float.NaN), y);
    }

    /// <summary>tanh: odd polynomial near 0, 1 - 2 / (e^2x + 1) elsewhere; keeps the sign of zero.</summary>
    public static T Tanh(T x)
    {
        var a = T.Abs(x);
        var z = x * x;
        var p = C(-5.70498872745e-3f);
        p = T.MultiplyAdd(p, z, C(2.06390887954e-2f));
        p = T.MultiplyAdd(p, z, C(-5.37397155531e-2f));
        p = T.MultiplyAdd(p, z, C(1.33314422036e-1f));
        p = T.MultiplyAdd(p, z, C(-3.33332819422e-1f));
        var small = T.MultiplyAdd(p * z, a, a);
        var large = C(1) - C(2) / (Exp(a + a) + C(1));
        return T.CopySign(T.Select(T.Less(a, C(0.625f)), small, large), x);
    }

    /// <summary>1 / (1 + e^-x), accurate in both tails.</summary>
    public static T Sigmoid(T x)
    {
        var e = Exp(C(0) - T.Abs(x));
        var s = C(1) / (C(1) + e);
        return T.Select(T.Less(x, C(0)), e * s, s);
    }

    /// <summary>x / (1 + e^-x); NaN at -inf, as the product is.</summary>
    public static T Silu(T x) => x * Sigmoid(x);

    /// <summary>The derivative of <see cref="Silu"/>; NaN at both infinities.</summary>
    public static T SiluSlope(T x)
    {
        var e = Exp(C(0) - T.Abs(x));
        var s = C(1) / (C(1) + e);
        var negative = T.Less(x, C(0));
        var other = e * s;
        return T.Select(negative, other, s) * T.MultiplyAdd(x, T.Select(negative, s, other), C(1));
    }

    /// <summary>1 - erf x.</summary>
    public static T Erfc(T x)
    {
        var a = T.Abs(x);
        var y = C(2) * NormalTail(a * C(1.41421356f), GaussianOf(a, C(1)));
        return T.Select(T.Less(x, C(0)), C(2) - y, y);
    }

    /// <summary>erf: odd polynomial for |x| below 1, 1 - erfc beyond; keeps the sign of zero.</summary>
    public static T Erf(T x)
    {
        var a = T.Abs(x);
        var z = x * x;
        var p = C(7.853861353153693e-5f);
        p = T.MultiplyAdd(p, z, C(-8.010193625184903e-4f));
        p = T.MultiplyAdd(p, z, C(5.188327685732524e-3f));
        p = T.MultiplyAdd(p, z, C(-2.685381193529856e-2f));
        p = T.MultiplyAdd(p, z, C(1.128358514861418e-1f));
        p = T.MultiplyAdd(p, z, C(-3.761262582423300e-1f));
        p = T.MultiplyAdd(p, z, C(1.128379165726710e0f));
        return T.CopySign(T.Select(T.Less(a, C(1)), p * a, C(1) - Erfc(a)), x);
    }

    /// <summary>x Phi(x), relatively accurate for very negative x; NaN at -inf, as the product is.</summary>
    public static T Gelu(T x) => x * NormalCdf(x, out _);

    /// <summary>Phi(x) + x phi(x); NaN at both infinities, as the product is.</summary>
    public static T GeluSlope(T x)
    {
        var cdf = NormalCdf(x, out var gaussian);
        return T.MultiplyAdd(x * C(0.3989422804f), gaussian, cdf);
    }

    /// <summary>The tanh approximation of GELU, as x / (1 + e^-2u): the tail keeps its accuracy. NaN at -inf.</summary>
    public static T GeluTanh(T x) => x * Sigmoid(TwiceTanhArgument(x));

    /// <summary>Its derivative; NaN at both infinities.</summary>
    public static T GeluTanhSlope(T x)
    {
        // Beyond 30 the sigmoid is 0 or 1 and its slope 0; clamped, or x² would overflow against that 0.
        var near = T.Max(C(-30), T.Min(C(30), x));
        var u = TwiceTanhArgument(near);
        var e = Exp(C(0) - T.Abs(u));
        var s = C(1) / (C(1) + e);
        var slope = e * s * s;
        s = T.Select(T.Less(x, C(0)), e * s, s);
        var inner = C(1.5957691216f) * T.MultiplyAdd(near * near, C(3 * 0.044715f), C(1));
        // x - x: 0, but NaN for an infinity.
        return T.MultiplyAdd(near * slope, inner, s) + (x - x);
    }

    /// <summary>e^(x + low), where low is the part of the argument that did not fit into x, far below 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T ExpOfSum(T x, T low)
    {
        // Where e^x is certainly infinite or 0 the reduction must not see the argument itself; NaN passes both.
        var clamped = T.Min(C(88.8f), T.Max(C(-104), x));
        var n = T.Round(clamped * C(1.44269504f));
        var r = T.MultiplyAdd(n, C(-0.693359375f), clamped);
        r = T.MultiplyAdd(n, C(2.12194440e-4f), r) + low;
        var p = C(1.9875691500e-4f);
        p = T.MultiplyAdd(p, r, C(1.3981999507e-3f));
        p = T.MultiplyAdd(p, r, C(8.3334519073e-3f));
        p = T.MultiplyAdd(p, r, C(4.1665795894e-2f));
        p = T.MultiplyAdd(p, r, C(1.6666665459e-1f));
        p = T.MultiplyAdd(p, r, C(5.0000001201e-1f));
        return T.Scale(T.MultiplyAdd(p * r, r, r) + C(1), n);
    }

    /// <summary>e^(-a² factor) for a at least 0 and a power of two; the rounding error of a² is put right.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T GaussianOf(T a, T factor)
    {
        // Zero from 20 on in any case, and a² must stay finite for its error to be a number.
        var near = T.Min(C(20), a);
        var square = near * near;
        var error = T.MultiplyAdd(near, near, C(0) - square);
        return ExpOfSum(C(0) - square * factor, C(0) - error * factor);
    }

    /// <summary>
    /// Phi(-t) for t at least 0, given e^(-t²/2): times a polynomial in u = 1 / (1 + 5t/16), interpolated at Chebyshev nodes
    /// of u over t in [0, 14.6] (Phi underflows at 14.2) so that the relative error is 1.4e-8 before rounding.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T NormalTail(T t, T gaussian)
    {
        var u = C(1) / T.MultiplyAdd(T.Min(C(20), t), C(0.3125f), C(1));
        var p = C(-0.0183528308f);
        p = T.MultiplyAdd(p, u, C(0.0879669413f));
        p = T.MultiplyAdd(p, u, C(-0.143402994f));
        p = T.MultiplyAdd(p, u, C(0.0647033602f));
        p = T.MultiplyAdd(p, u, C(0.00485084299f));
        p = T.MultiplyAdd(p, u, C(0.0519018844f));
        p = T.MultiplyAdd(p, u, C(0.0912300646f));
        p = T.MultiplyAdd(p, u, C(0.111664832f));
        p = T.MultiplyAdd(p, u, C(0.124773577f));
        p = T.MultiplyAdd(p, u, C(0.124664314f));
        return p * u * gaussian;
    }

    /// <summary>Standard normal distribution function, and e^(-x²/2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T NormalCdf(T x, out T gaussian)
    {
        var t = T.Abs(x);
        gaussian = GaussianOf(t, C(0.5f));
        var tail = NormalTail(t, gaussian);
        return T.Select(T.Less(x, C(0)), tail, C(1) - tail);
    }

    /// <summary>2 sqrt(2/pi) (x + 0.044715 x³).</summary>
    private static T TwiceTanhArgument(T x) => C(1.5957691216f) * T.MultiplyAdd(x * x * C(0.044715f), x, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T C(float value) => T.Broadcast(value);
}
