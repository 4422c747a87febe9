using Data2Vec.Kernels;
using Data2Vec.Kernels.Cpu;
using NUnit.Framework;

namespace Data2Vec.Tests.Cpu;

/// <summary>Elementary functions against double over grids, and at special values.</summary>
[TestFixture(typeof(Lanes512))]
[TestFixture(typeof(Lanes256))]
[TestFixture(typeof(Lanes128))]
internal sealed unsafe class LaneMathTests<T>
    where T : struct, ILanes<T>
{
    private const int Points = 40_000;

    // Half the spacing of float32 at 1: one correctly rounded result is off by at most this, relatively.
    private const double Unit = 1.0 / (1 << 24);

    private static readonly Dictionary<string, Func<T, T>> Functions = new()
    {
        ["Exp"] = LaneMath<T>.Exp, ["Log"] = LaneMath<T>.Log, ["Tanh"] = LaneMath<T>.Tanh, ["Erf"] = LaneMath<T>.Erf,
        ["Sigmoid"] = LaneMath<T>.Sigmoid, ["Silu"] = LaneMath<T>.Silu, ["Gelu"] = LaneMath<T>.Gelu,
        ["GeluTanh"] = LaneMath<T>.GeluTanh,
    };

    private static readonly Dictionary<string, Func<T, T>> Slopes = new()
    {
        ["Silu"] = LaneMath<T>.SiluSlope, ["Gelu"] = LaneMath<T>.GeluSlope, ["GeluTanh"] = LaneMath<T>.GeluTanhSlope,
    };

    [OneTimeSetUp]
    public void Needs_the_instructions() => LaneWidths.Require<T>();

    // Bounds in units of 2^-24, relative: 2 of them are one place of the result.
    [TestCase("Exp", -87.3, 88.7, 2)]
    [TestCase("Log", 1e-3, 10, 2)]
    [TestCase("Log", 0.99, 1.01, 2)]
    [TestCase("Log", 1.2e-38, 1e-30, 2)]
    [TestCase("Log", 10, 3.4e38, 2)]
    [TestCase("Tanh", -9.5, 9.5, 3)]
    [TestCase("Tanh", -1e-3, 1e-3, 3)]
    [TestCase("Erf", -4, 4, 3)]
    [TestCase("Erf", -1e-3, 1e-3, 3)]
    [TestCase("Sigmoid", -87, 20, 4)]
    [TestCase("Silu", -80, 20, 5)]
    [TestCase("Gelu", -12.8, 8, 8)]
    [TestCase("Gelu", -1e-3, 1e-3, 8)]
    public void Relative_error_stays_within(string name, double low, double high, double units)
    {
        var op = Enum.Parse<UnaryOp>(name);
        var (error, at) = Worst(Functions[name], x => ElementFunctions.Apply(op, x, 0, 0), low, high, y => Math.Abs(y));
        Assert.That(error, Is.LessThan(units * Unit), $"{name} at {at:r}");
    }

    [TestCase("GeluTanh", false)]
    [TestCase("Silu", true)]
    [TestCase("Gelu", true)]
    [TestCase("GeluTanh", true)]
    public void Error_stays_within_places_of_the_larger_of_one_and_the_result(string name, bool slope)
    {
        var op = Enum.Parse<UnaryOp>(name);
        var (error, at) = slope
            ? Worst(Slopes[name], x => ElementFunctions.Slope(op, x, 0, 0), -20, 20, y => Math.Max(1, Math.Abs(y)))
            : Worst(Functions[name], x => ElementFunctions.Apply(op, x, 0, 0), -20, 20, y => Math.Max(1, Math.Abs(y)));
        Assert.That(error, Is.LessThan(4 * Unit), $"{name} at {at:r}");
    }

    [Test]
    public void Exponentials_underflow_through_the_subnormal_numbers()
    {
        using (Assert.EnterMultipleScope())
        {
            for (var x = -87.4f; x > -106; x -= 0.37f)
            {
                // A subnormal result is exact to its last place, whose value is 2^-149.
                Assert.That(One(LaneMath<T>.Exp, x), Is.EqualTo(Math.Exp(x)).Within(float.Epsilon + 2 * Unit * Math.Exp(x)));
            }
        }
    }

    [Test]
    public void Logarithms_of_subnormal_numbers_are_right()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach (var x in new[] { float.Epsilon, 1e-44f, 3e-41f, 1.1e-38f })
                Assert.That(One(LaneMath<T>.Log, x), Is.EqualTo((float)Math.Log(x)));
        }
    }

    [Test]
    public void Special_values_give_what_the_reference_gives()
    {
        float[] values =
        [
            float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -0f, 1e30f, -1e30f, float.MaxValue, float.MinValue,
            200, -200, 1e-40f, -1e-40f,
        ];
        using (Assert.EnterMultipleScope())
        {
            foreach (var (name, f) in Functions)
            {
                var op = Enum.Parse<UnaryOp>(name);
                foreach (var x in values) Same($"{name}({x})", One(f, x), ElementFunctions.Apply(op, x, 0, 0));
            }
            foreach (var (name, f) in Slopes)
            {
                var op = Enum.Parse<UnaryOp>(name);
                foreach (var x in values) Same($"{name}'({x})", One(f, x), ElementFunctions.Slope(op, x, 0, 0));
            }
            foreach (var f in new Func<T, T>[] { LaneMath<T>.Tanh, LaneMath<T>.Erf, LaneMath<T>.Gelu })
                Assert.That(float.IsNegative(One(f, -0f)), "the sign of zero");
        }
    }

    private static void Same(string what, float actual, double expected)
    {
        var rounded = (float)expected;
        if (float.IsFinite(rounded))
            Assert.That(actual, Is.EqualTo(rounded).Within(4 * Unit * Math.Abs(rounded) + float.Epsilon), what);
        else
            Assert.That(actual, Is.EqualTo(rounded), what);
    }

    private static (double Error, float At) Worst(
        Func<T, T> f, Func<double, double> exact, double low, double high, Func<double, double> scale)
    {
        var (error, at) = (0.0, 0f);
        var x = stackalloc float[16];
        var y = stackalloc float[16];
        for (var i = 0; i < Points; i += T.Width)
        {
            for (var j = 0; j < T.Width; j++) x[j] = (float)(low + (high - low) * (i + j + 0.37) / (Points + 16));
            T.Store(y, f(T.Load(x)));
            for (var j = 0; j < T.Width; j++)
            {
                var expected = exact(x[j]);
                var e = Math.Abs(y[j] - expected) / scale(expected);
                // A NaN must not hide behind a comparison.
                if (e <= error) continue;
                (error, at) = (double.IsNaN(e) ? double.PositiveInfinity : e, x[j]);
            }
        }
        return (error, at);
    }

    private static float One(Func<T, T> f, float x)
    {
        var lanes = stackalloc float[16];
        T.Store(lanes, f(T.Broadcast(x)));
        return lanes[0];
    }
}
