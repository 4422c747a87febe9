namespace Data2Vec.Kernels;

/// <summary>
/// erf and erfc to double precision: a Maclaurin series for small arguments, a continued fraction (Lentz) for the tail.
/// Source: Abramowitz &amp; Stegun 7.1.6 and 7.1.14.
/// </summary>
internal static class ErrorFunction
{
    private const double TwoOverRootPi = 1.1283791670955125739;

    public static double Erf(double x)
    {
        if (double.IsNaN(x)) return x;
        var a = Math.Abs(x);
        if (a > 6) return Math.Sign(x);
        return a < 2 ? Series(x) : Math.Sign(x) * (1 - Tail(a));
    }

    public static double Erfc(double x)
    {
        if (double.IsNaN(x)) return x;
        if (x < 0) return 2 - Erfc(-x);
        if (x > 27.5) return 0;
        // Below 1/2 nothing cancels; above, the fraction keeps the relative accuracy.
        return x < 0.5 ? 1 - Series(x) : Tail(x);
    }

    /// <summary>2/sqrt(pi) e^(-x²) sum of 2^n x^(2n+1) / (1 · 3 · ... · (2n+1)): all terms of one sign.</summary>
    private static double Series(double x)
    {
        var term = x;
        var sum = x;
        for (var n = 1; n < 200; n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
            if (Math.Abs(term) < 1e-17 * Math.Abs(sum)) break;
        }
        return TwoOverRootPi * Math.Exp(-x * x) * sum;
    }


    /// <summary>e^(-x²) / (x sqrt(pi)) times a continued fraction in 1 / (2 x²), evaluated by Lentz's method.</summary>
    private static double Tail(double x)
    {
        const double tiny = 1e-300;
        // erfc(x) = e^{-x²}/sqrt(pi) · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...))))
        double f = x, c = x, d = 0;
        for (var n = 1; n < 2000; n++)
        {
            var a = n / 2.0;
            d = x + a * d;
            if (d == 0) d = tiny;
            c = x + a / c;
            if (c == 0) c = tiny;
            d = 1 / d;
            var delta = c * d;
            f *= delta;
            if (Math.Abs(delta - 1) < 1e-16) break;
        }
        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / f;
    }
}
