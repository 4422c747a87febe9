using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Modules;

/// <summary>
/// Moments and ranges of first values. Bounds are six deviations of the estimate from its expectation.
/// </summary>
public sealed class InitializerTests
{
    private const int Count = 1 << 16;

    private static readonly RandomKey Key = new(7, 0, 0, 0x10000);

    [Test]
    public void Kaiming_normal_has_the_variance_of_twice_the_inverse_fan_in()
    {
        // A convolution weight [out, kernel, in]: fan in = 16 * 8.
        var values = Draw(Initializers.KaimingNormal, new Shape(Count / 128, 16, 8));
        AssertMoments(values, variance: 2.0 / 128, kurtosis: 3);
    }

    [Test]
    public void Kaiming_uniform_has_the_bound_of_its_slope()
    {
        var values = Draw(Initializers.KaimingUniform(2), new Shape(Count / 64, 64));
        var bound = Math.Sqrt(6.0 / (5 * 64));
        AssertMoments(values, variance: bound * bound / 3, kurtosis: 1.8);
        Assert.That(values.Max(Math.Abs), Is.LessThanOrEqualTo(bound).And.GreaterThan(0.999 * bound));
    }

    [Test]
    public void The_default_of_torch_is_kaiming_uniform_of_slope_root_5()
    {
        var shape = new Shape(32, 3, 5);
        var values = Draw(Initializers.TorchDefault, shape);
        var other = Draw(Initializers.KaimingUniform(Math.Sqrt(5)), shape);
        for (var i = 0; i < values.Length; i++) Assert.That(values[i], Is.EqualTo(other[i]).Within(1e-15));
        Assert.That(values.Max(Math.Abs), Is.LessThanOrEqualTo(1 / Math.Sqrt(15)));
        Assert.That(Draw(Initializers.InverseRoot(15), shape), Is.EqualTo(values));
    }

    [Test]
    public void A_truncated_normal_stays_inside_and_has_the_variance_of_the_formula()
    {
        // Within one deviation: variance 1 - 2 phi(1) / (2 Phi(1) - 1) in units of the deviation's square.
        var values = Draw(Initializers.TruncatedNormal(0.02, -0.02, 0.02), new Shape(Count));
        var phi = Math.Exp(-0.5) / Math.Sqrt(2 * Math.PI);
        var mass = NormalDistribution.Cdf(1) - NormalDistribution.Cdf(-1);
        AssertMoments(values, variance: 4e-4 * (1 - 2 * phi / mass), kurtosis: 2);
        Assert.That(values.Max(Math.Abs), Is.LessThanOrEqualTo(0.02).And.GreaterThan(0.0199));
    }

    [TestCase(1, 9, 10)]
    [TestCase(1, -10, -9)]
    public void A_truncated_normal_reaches_far_tails_on_both_sides(double deviation, double low, double high)
    {
        var values = Draw(Initializers.TruncatedNormal(deviation, low, high), new Shape(4096));
        // So far out the density falls like e^(-9 d): mean distance from the near edge 1 / 9 and a little less.
        var distance = values.Average(v => low > 0 ? v - low : high - v);
        Assert.That(values, Is.All.InRange(low, high));
        Assert.That(distance, Is.InRange(0.095, 0.115));
        Assert.That(values.Distinct().Count(), Is.GreaterThan(4000));
    }

    [Test]
    public void A_truncated_normal_of_no_width_is_refused()
    {
        Assert.That(() => Initializers.TruncatedNormal(0, -1, 1), Throws.ArgumentException);
        Assert.That(() => Initializers.TruncatedNormal(1, 1, 1), Throws.ArgumentException);
        Assert.That(() => Initializers.TruncatedNormal(1, double.NaN, 1), Throws.ArgumentException);
    }

    [Test]
    public void Constants_are_what_they_say()
    {
        var shape = new Shape(2, 3);
        Assert.That(Draw(Initializers.Zeros, shape), Is.All.Zero);
        Assert.That(Draw(Initializers.Ones, shape), Is.All.EqualTo(1));
        Assert.That(Draw(Initializers.Constant(-0.25), shape), Is.All.EqualTo(-0.25));
        Assert.That(Draw(Initializers.Scaled(Initializers.Constant(3), 0.5), shape), Is.All.EqualTo(1.5));
    }

    [Test]
    public void A_normal_has_its_deviation_and_may_have_a_row_of_zeros()
    {
        var values = Draw(Initializers.Normal(0.02), new Shape(Count / 32, 32));
        AssertMoments(values, variance: 4e-4, kurtosis: 3);
        var padded = Draw(Initializers.Normal(0.02, zeroRow: 5), new Shape(Count / 32, 32));
        Assert.That(padded.AsSpan(5 * 32, 32).ToArray(), Is.All.Zero);
        values.AsSpan(5 * 32, 32).Clear();
        Assert.That(padded, Is.EqualTo(values), "the other rows do not move");
    }

    [Test]
    public void A_uniform_fills_its_interval()
    {
        var values = Draw(Initializers.Uniform(0.3), new Shape(Count));
        AssertMoments(values, variance: 0.09 / 3, kurtosis: 1.8);
        Assert.That(values, Is.All.InRange(-0.3, 0.3));
        var between = Draw(Initializers.UniformBetween(2, 5), new Shape(Count));
        AssertMoments([.. between.Select(v => v - 3.5)], variance: 9.0 / 12, kurtosis: 1.8);
        Assert.That(between, Is.All.InRange(2, 5));
    }

    [Test]
    public void Xavier_looks_at_both_sides_of_the_weight()
    {
        var bound = Math.Sqrt(6.0 / (64 + 1024));
        foreach (var shape in new[] { new Shape(64, 1024), new Shape(1024, 64) })
        {
            var values = Draw(Initializers.XavierUniform, shape);
            AssertMoments(values, variance: bound * bound / 3, kurtosis: 1.8);
            Assert.That(values.Max(Math.Abs), Is.LessThanOrEqualTo(bound).And.GreaterThan(0.999 * bound));
        }
    }

    [Test]
    public void The_key_decides_and_nothing_else()
    {
        Initializer[] random =
        [
            Initializers.Normal(1), Initializers.Uniform(1), Initializers.UniformBetween(0, 1), Initializers.XavierUniform,
            Initializers.TruncatedNormal(1, -2, 2), Initializers.KaimingNormal, Initializers.TorchDefault,
        ];
        foreach (var initializer in random)
        {
            var shape = new Shape(6, 7);
            var values = Draw(initializer, shape);
            Assert.That(Draw(initializer, shape), Is.EqualTo(values));
            var other = new double[shape.Count];
            initializer(Key with { Site = Key.Site + 1 }, other, shape);
            Assert.That(other, Is.Not.EqualTo(values));
            Assert.That(other.Distinct().Count(), Is.EqualTo(shape.Count));
        }
    }

    private static double[] Draw(Initializer initializer, Shape shape)
    {
        var values = new double[shape.Count];
        initializer(Key, values, shape);
        return values;
    }

    private static void AssertMoments(double[] values, double variance, double kurtosis)
    {
        var n = values.Length;
        Assert.That(values.Average(), Is.Zero.Within(6 * Math.Sqrt(variance / n)));
        Assert.That(values.Average(v => v * v),
            Is.EqualTo(variance).Within(6 * variance * Math.Sqrt((kurtosis - 1) / n)));
    }
}
