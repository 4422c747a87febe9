using System.Globalization;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>How far a value may be from the recorded one.</summary>
/// <param name="Relative">Part of the largest finite entry of the tensor.</param>
/// <param name="Floor">What counts as the largest entry when that is smaller still.</param>
internal readonly record struct Tolerance(double Relative, double Floor = 0)
{
    /// <summary>Relative error allowed in float64.</summary>
    public const double Double = 1e-9;

    /// <summary>Relative error that float32 may always have.</summary>
    public const double Single = 2e-6;

    /// <summary>A float32 result may be this many times further from float64 than the published float32 run.</summary>
    public const double Factor = 8;

    private const double ZeroByTheory = 1e-6;

    /// <summary>Nothing but equality.</summary>
    public static Tolerance Exact => default;

    /// <summary>
    /// A gradient that is 0 by theory (softmax is blind to a shift) is recorded as rounding noise, which nobody can
    /// repeat: one below 1e-6 of the case's largest gradient is compared absolutely, by that gradient.
    /// </summary>
    public Tolerance ForGradient(ReadOnlySpan<double> recorded, double largest, DType type) =>
        IsZero(recorded, largest) ? new(type == DType.Float64 ? Double : Single, Math.Max(largest, Floor)) : this;

    /// <summary>True for a gradient that is 0 by theory, beside the largest one of its case.</summary>
    public static bool IsZero(ReadOnlySpan<double> recorded, double largest) =>
        Comparison.Largest(recorded) <= ZeroByTheory * largest;
}

/// <summary>The worst entry of a tensor.</summary>
/// <param name="Tensor">Its name.</param>
/// <param name="Error">Absolute difference; infinity where a NaN or an infinity stands in the wrong place.</param>
/// <param name="Allowed">Tolerance there, absolute.</param>
/// <param name="What">What differs when it is no number.</param>
internal readonly record struct Difference(string Tensor, double Error, double Allowed, string What = "")
{
    /// <summary>Error as a multiple of the tolerance; 0 when equal.</summary>
    public double Ratio => Error == 0 ? 0 : Allowed > 0 ? Error / Allowed : double.PositiveInfinity;

    /// <summary>At most the tolerance.</summary>
    public bool Fits => Error <= Allowed;

    /// <summary>"grad.input: error 1e-3, tolerance 1e-9".</summary>
    public override string ToString() => What.Length > 0 ? $"{Tensor}: {What}" : string.Create(
        CultureInfo.InvariantCulture, $"{Tensor}: error {Error:0.###e0}, tolerance {Allowed:0.###e0}");
}

/// <summary>Compares numbers with recorded ones.</summary>
internal static class Comparison
{
    /// <summary>
    /// The entry that exceeds its tolerance most. NaN equals NaN, an infinity equals one of the same sign, the sign of
    /// zero is ignored.
    /// </summary>
    public static Difference Compare(
        string name, ReadOnlySpan<double> got, ReadOnlySpan<double> expected, Tolerance tolerance)
    {
        if (got.Length != expected.Length)
        {
            return new Difference(name, double.PositiveInfinity, 0,
                $"{got.Length} numbers, expected {expected.Length}");
        }
        var allowed = tolerance.Relative * Math.Max(Largest(expected), tolerance.Floor);
        var worst = new Difference(name, 0, allowed);
        for (var i = 0; i < got.Length; i++)
        {
            var (a, b) = (got[i], expected[i]);
            if (a.Equals(b) || a == b) continue;
            if (!double.IsFinite(a) || !double.IsFinite(b))
            {
                return new Difference(name, double.PositiveInfinity, 0, string.Create(
                    CultureInfo.InvariantCulture, $"element {i} is {a}, expected {b}"));
            }
            var here = new Difference(name, Math.Abs(a - b), allowed);
            if (here.Ratio > worst.Ratio) worst = here;
        }
        return worst;
    }

    /// <summary>The largest finite magnitude.</summary>
    public static double Largest(ReadOnlySpan<double> values)
    {
        double largest = 0;
        foreach (var v in values)
            if (double.IsFinite(v)) largest = Math.Max(largest, Math.Abs(v));
        return largest;
    }

    /// <summary>One number.</summary>
    public static Difference Compare(string name, double got, double expected, Tolerance tolerance) =>
        Compare(name, [got], [expected], tolerance);
}
