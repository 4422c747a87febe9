using Data2Vec.Bench.Cases;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Running;

/// <summary>
/// How far an output may be from the oracle: Safety * eps(type) * sqrt(terms of the longest sum) * scale. The square
/// root is how rounding errors of independent terms grow; the scale is the largest entry of the right answer plus what
/// rounding the operands to the type could change in it (measured on the oracle, as a slope), because a sum that cancels
/// has errors of the size of its terms and not of its result. Where a whole gradient cancels to 0 (softmax of one element),
/// the scale is that of the gradient it is made of. Integers and masks must be equal.
/// </summary>
internal static class Tolerance
{
    /// <summary>Each term is rounded as a product and in the sum; functions and intermediates are good to 2 ulp.</summary>
    private const double Safety = 4;

    /// <param name="right">The oracle's output.</param>
    /// <param name="moved">The oracle's output for operands moved by a relative <paramref name="step"/>; or null.</param>
    /// <param name="step">Size of that move.</param>
    /// <param name="type">Type of the output that is judged.</param>
    /// <param name="terms">Terms of the longest sum.</param>
    /// <param name="seed">Largest entry of the gradient that backward started from; 0 for forward outputs.</param>
    /// <param name="epsilon">What operands and results are rounded to; null = that of the type.</param>
    public static double Of(
        Output right, Output? moved, double step, DType type, long terms, double seed, double? epsilon = null)
    {
        if (!type.IsFloat()) return 0;
        double largest = 0, slope = 0;
        for (var i = 0; i < right.Values.Length; i++)
        {
            var value = right.Values[i];
            if (!double.IsFinite(value)) continue;
            largest = Math.Max(largest, Math.Abs(value));
            if (moved is not null && double.IsFinite(moved.Values[i]))
                slope = Math.Max(slope, Math.Abs(moved.Values[i] - value) / step);
        }
        return Safety * (epsilon ?? type.Epsilon()) * Math.Sqrt(Math.Max(1, terms)) * (largest + slope > 0 ? largest + slope : seed);
    }

    /// <summary>Largest difference as a multiple of the tolerance; infinite when NaN or infinities differ.</summary>
    public static double Error(double[] right, double[] actual, double tolerance)
    {
        if (right.Length != actual.Length) return double.PositiveInfinity;
        double worst = 0;
        for (var i = 0; i < right.Length; i++)
        {
            var (r, a) = (right[i], actual[i]);
            if (r.Equals(a)) continue;
            if (!double.IsFinite(r) || !double.IsFinite(a)) return double.PositiveInfinity;
            worst = Math.Max(worst, Math.Abs(r - a));
        }
        return worst == 0 ? 0 : tolerance == 0 ? double.PositiveInfinity : worst / tolerance;
    }
}
