namespace Data2Vec.Kernels.Cpu;

/// <summary>
/// Elementary functions over lanes, in float32. Exponential and logarithm follow the classic range reductions (Cephes);
/// errors against double are held by tests.
/// </summary>
internal static class LaneMath<T>
    where T : struct, ILanes<T>
{
    /// <summary>e^x: 2^n times a polynomial of x - n ln 2; overflows to infinity, underflows through subnormals to 0.</summary>
    public static T Exp(T x)
    {
        var clamped = T.Min(T.Broadcast(88.8f), T.Max(T.Broadcast(-104f), x));
        var n = T.Round(clamped * C(1.44269504f));
        var r = T.MultiplyAdd(n, C(-0.693359375f), clamped);
        r = T.MultiplyAdd(n, C(2.12194440e-4f), r);
        var p = C(1.9875691500e-4f);
        p = T.MultiplyAdd(p, r, C(1.3981999507e-3f));
        p = T.MultiplyAdd(p, r, C(8.3334519073e-3f));
        p = T.MultiplyAdd(p, r, C(4.1665795894e-2f));
        p = T.MultiplyAdd(p, r, C(1.6666665459e-1f));
        p = T.MultiplyAdd(p, r, C(5.0000001201e-1f));
        p = T.MultiplyAdd(p * r, r, r) + C(1);
        // Two halves of the power: 2^128 and 2^-149 do not fit one.
        var half = T.Round(n * C(0.5f));
        var y = p * T.PowerOfTwo(half) * T.PowerOfTwo(n - half);
        return T.Select(T.Equal(x, x), y, x);
    }

    /// <summary>tanh: odd polynomial near 0, 1 - 2 / (e^2x + 1) elsewhere.</summary>
    public static T Tanh(T x)
    {
        var a = T.Abs(x);
        var z = x * x;
        var p = C(-5.70498872745e-3f);
        p = T.MultiplyAdd(p, z, C(2.06390887954e-2f));
        p = T.MultiplyAdd(p, z, C(-5.37397155531e-2f));
        p = T.MultiplyAdd(p, z, C(1.33314422036e-1f));
        p = T.MultiplyAdd(p, z, C(-3.33332819422e-1f));
        var small = T.MultiplyAdd(p * z, x, x);
        var large = C(1) - C(2) / (Exp(a + a) + C(1));
        large = T.Select(T.Less(x, C(0)), C(0) - large, large);
        return T.Select(T.Less(a, C(0.625f)), small, T.Select(T.Equal(x, x), large, x));
    }

    /// <summary>1 / (1 + e^-x).</summary>
    public static T Sigmoid(T x) => C(1) / (C(1) + Exp(C(0) - x));

    /// <summary>
    /// e^(-x²) times this is erfc for x at least 0: rational approximation in t = 1 / (1 + x/2) (Numerical Recipes, erfcc's
    /// Chebyshev fit, relative error 1.2e-7), written as an exponent so that the tail keeps relative accuracy.
    /// </summary>
    public static T Erfc(T x)
    {
        var a = T.Abs(x);
        var t = C(1) / T.MultiplyAdd(a, C(0.5f), C(1));
        var p = C(0.17087277f);
        p = T.MultiplyAdd(p, t, C(-0.82215223f));
        p = T.MultiplyAdd(p, t, C(1.48851587f));
        p = T.MultiplyAdd(p, t, C(-1.13520398f));
        p = T.MultiplyAdd(p, t, C(0.27886807f));
        p = T.MultiplyAdd(p, t, C(-0.18628806f));
        p = T.MultiplyAdd(p, t, C(0.09678418f));
        p = T.MultiplyAdd(p, t, C(0.37409196f));
        p = T.MultiplyAdd(p, t, C(1.00002368f));
        p = T.MultiplyAdd(p, t, C(-1.26551223f));
        var y = t * Exp(p) * Exp(C(0) - a * a);
        return T.Select(T.Less(x, C(0)), C(2) - y, y);
    }

    /// <summary>erf: Maclaurin polynomial for |x| below 1, 1 - erfc beyond.</summary>
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
        var large = C(1) - Erfc(a);
        large = T.Select(T.Less(x, C(0)), C(0) - large, large);
        return T.Select(T.Less(a, C(1)), p * x, large);
    }

    /// <summary>x Phi(x).</summary>
    public static T Gelu(T x) => x * Cdf(x);

    /// <summary>Phi(x) + x phi(x).</summary>
    public static T GeluSlope(T x) =>
        T.MultiplyAdd(x * C(0.3989422804f), Exp(x * x * C(-0.5f)), Cdf(x));

    /// <summary>The tanh approximation of GELU.</summary>
    public static T GeluTanh(T x) => C(0.5f) * x * (C(1) + Tanh(TanhArgument(x)));

    /// <summary>Its derivative.</summary>
    public static T GeluTanhSlope(T x)
    {
        var u = Tanh(TanhArgument(x));
        var inner = C(0.7978845608f) * T.MultiplyAdd(x * x, C(3 * 0.044715f), C(1));
        return C(0.5f) * (C(1) + u) + C(0.5f) * x * (C(1) - u * u) * inner;
    }

    /// <summary>Standard normal distribution function: erf near 0, the tail of erfc on the left.</summary>
    private static T Cdf(T x)
    {
        var s = x * C(0.70710678f);
        var tail = C(0.5f) * Erfc(C(0) - s);
        return T.Select(T.Less(T.Abs(s), C(1)), T.MultiplyAdd(C(0.5f), Erf(s), C(0.5f)), tail);
    }

    private static T TanhArgument(T x) => C(0.7978845608f) * T.MultiplyAdd(x * x * C(0.044715f), x, x);

    private static T C(float value) => T.Broadcast(value);
}
