using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Numerics;

/// <summary>Distribution function and quantiles of the standard normal distribution.</summary>
public sealed class NormalDistributionTests
{
    // Erfc in 40 digits, by mpmath.
    [TestCase(0, 0.5)]
    [TestCase(1, 0.84134474606854293)]
    [TestCase(-1, 0.15865525393145707)]
    [TestCase(-2, 0.022750131948179209)]
    [TestCase(-6, 9.8658764503769814e-10)]
    [TestCase(3, 0.99865010196836989)]
    public void The_distribution_function_has_its_known_values(double x, double p)
    {
        // Half an ulp each: the argument of e^(-x²/2) is rounded five times; the fraction behind it multiplies about
        // 400 / x² factors, whose roundings add up like the square root of their number.
        var tolerance = (2.5 * x * x + 4 * Math.Sqrt(400 / Math.Max(1, x * x))) * Math.Pow(2, -53) * p;
        Assert.That(NormalDistribution.Cdf(x), Is.EqualTo(p).Within(tolerance));
    }

    [Test]
    public void The_quantile_is_the_inverse()
    {
        // Relative errors of p grow by the slope of ln p, about |x|, when they come from rounding x.
        for (var x = -37.0; x <= 37; x += 0.0625)
        {
            var p = NormalDistribution.Cdf(-Math.Abs(x));
            var q = NormalDistribution.Quantile(p);
            Assert.That(q, Is.EqualTo(-Math.Abs(x)).Within(1e-14 * Math.Max(1, Math.Abs(x))), $"at {x}");
            if (Math.Abs(x) > 5) continue;
            var upper = NormalDistribution.Quantile(1 - p);
            // 1 - p rounds at 1.1e-16: that moves the quantile by the reciprocal of the density.
            var moved = 2e-16 * Math.Sqrt(2 * Math.PI) * Math.Exp(x * x / 2);
            Assert.That(upper, Is.EqualTo(Math.Abs(x)).Within(1e-14 + moved), $"at {x}");
        }
    }

    [Test]
    public void The_ends_are_infinite_and_what_is_outside_is_no_number()
    {
        Assert.That(NormalDistribution.Quantile(0), Is.EqualTo(double.NegativeInfinity));
        Assert.That(NormalDistribution.Quantile(1), Is.EqualTo(double.PositiveInfinity));
        Assert.That(NormalDistribution.Quantile(0.5), Is.Zero);
        foreach (var p in new[] { -0.1, 1.1, double.NaN }) Assert.That(NormalDistribution.Quantile(p), Is.NaN);
    }
}
