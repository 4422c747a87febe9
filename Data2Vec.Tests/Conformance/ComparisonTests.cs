using Data2Vec.Bench.Conformance;
using NUnit.Framework;

namespace Data2Vec.Tests.Conformance;

public sealed class ComparisonTests
{
    private static readonly Tolerance Loose = new(1e-3);

    [Test]
    public void The_tolerance_is_a_part_of_the_largest_entry()
    {
        Assert.That(Comparison.Compare("x", [10, 0.009], [10, 0], Loose).Fits, Is.True);
        var worst = Comparison.Compare("x", [10, 0.02], [10, 0], Loose);
        Assert.That(worst.Fits, Is.False);
        Assert.That(worst.Ratio, Is.EqualTo(2).Within(1e-12));
        Assert.That(worst.ToString(), Is.EqualTo("x: error 2e-2, tolerance 1e-2"));
    }

    [Test]
    public void A_floor_stands_for_a_smaller_largest_entry()
    {
        Assert.That(Comparison.Compare("x", [1e-7], [0], new Tolerance(1e-3)).Fits, Is.False);
        Assert.That(Comparison.Compare("x", [1e-7], [0], new Tolerance(1e-3, 1e-3)).Fits, Is.True);
    }

    [TestCase(double.NaN, double.NaN, true)]
    [TestCase(double.PositiveInfinity, double.PositiveInfinity, true)]
    [TestCase(0.0, -0.0, true)]
    [TestCase(double.PositiveInfinity, double.NegativeInfinity, false)]
    [TestCase(double.NaN, 1.0, false)]
    [TestCase(1.0, double.NaN, false)]
    [TestCase(double.PositiveInfinity, 1e300, false)]
    public void Special_values_are_compared_by_kind(double got, double expected, bool same) =>
        Assert.That(Comparison.Compare("x", got, expected, Loose).Fits, Is.EqualTo(same));

    [Test]
    public void Another_length_never_fits() =>
        Assert.That(Comparison.Compare("x", [1, 2], [1], Loose).ToString(), Is.EqualTo("x: 2 numbers, expected 1"));

    [Test]
    public void Exact_means_equal()
    {
        Assert.That(Comparison.Compare("x", 3, 3, Tolerance.Exact).Fits, Is.True);
        Assert.That(Comparison.Compare("x", 3 + 1e-15, 3, Tolerance.Exact).Fits, Is.False);
    }

    [Test]
    public void A_case_that_compares_nothing_fails()
    {
        var report = new SuiteReport("s", null, TextWriter.Null);
        report.Run("g", "empty", () => []);
        Assert.That(report.Count(Outcome.Failed), Is.EqualTo(1));
    }

    [Test]
    public void A_case_that_throws_fails_and_the_next_one_runs()
    {
        var output = new StringWriter();
        var report = new SuiteReport("s", null, output);
        report.Run("g", "thrown", () => throw new InvalidOperationException("broken"));
        report.Run("g", "good", () => [new Difference("x", 0, 1)]);
        report.Run("g", "left", () => throw new NotExpressibleException("for a reason"));
        report.Summarise();
        Assert.That(output.ToString(), Does.Contain("FAIL s/g/thrown: InvalidOperationException: broken"));
        Assert.That(output.ToString(), Does.Contain("s: 2 run, 1 failed, 1 skipped"));
        Assert.That(output.ToString(), Does.Contain("skipped 1: for a reason: g/left"));
    }

    [Test]
    public void Only_float32_numbers_are_held_to_special_values()
    {
        var entries = FloatEntries.Of([[1e-8, 0.5, double.NaN, 1e300, 7], [1, 2, 3, 4, 0.1]]);
        Assert.That(entries, Is.EqualTo(new[] { false, true, true, false, false }));
        Assert.That(() => FloatEntries.Of([[0.1], [0.5]]), Throws.TypeOf<NotExpressibleException>());
        Assert.That(() => FloatEntries.Of([[0.5], [0.5, 1]]), Throws.TypeOf<NotExpressibleException>());
    }

    [TestCase(double.PositiveInfinity, 1e43, true)]
    [TestCase(3e38, 1e43, false)]
    [TestCase(0, 1e-60, true)]
    [TestCase(1e-45, 0, true)]
    [TestCase(1e-30, 0, false)]
    [TestCase(double.NaN, double.NaN, true)]
    [TestCase(double.NaN, 1e43, false)]
    [TestCase(1.000001, 1, true)]
    [TestCase(1.00001, 1, false)]
    public void A_recorded_value_is_rounded_to_float32_first(double got, double expected, bool fits)
    {
        Assert.That(FloatEntries.Compare("x", [1e9, got], [1, expected], [false, true]).Fits, Is.EqualTo(fits));
        Assert.That(FloatEntries.Compare("x", [1e9, got], [1, expected], [true, true]).Fits, Is.False);
    }
}
