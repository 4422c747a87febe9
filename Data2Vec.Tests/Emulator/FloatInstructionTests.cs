using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>Float instructions against exact numbers rounded by hand (PTX manual, section 9.7.3).</summary>
public sealed class FloatInstructionTests
{
    private const ulong NotANumber = 0x7fff_ffff;

    [TestCase("add", "rn")]
    [TestCase("add", "rz")]
    [TestCase("add", "rm")]
    [TestCase("add", "rp")]
    [TestCase("sub", "rn")]
    [TestCase("sub", "rm")]
    [TestCase("mul", "rn")]
    [TestCase("mul", "rz")]
    [TestCase("mul", "rm")]
    [TestCase("mul", "rp")]
    public void Sums_and_products_of_float32_are_rounded_as_said(string operation, string mode)
    {
        var (a, b) = InstructionRig.Pairs(InstructionRig.Singles());
        var actual = InstructionRig.Run($"{operation}.{mode}.f32 {{d}}, {{a}}, {{b}};", 32, (32, a), (32, b));
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y) = (InstructionRig.Single(a[i]), InstructionRig.Single(b[i]));
            var hosts = operation switch { "add" => x + y, "sub" => x - y, _ => x * y };
            var (p, q) = (ExactNumber.Of(x), ExactNumber.Of(y));
            Check(actual[i], hosts, float.IsFinite(x) && float.IsFinite(y), operation switch
            {
                "add" => p + q,
                "sub" => p + -q,
                _ => p * q,
            }, mode, $"{operation}.{mode} {x}, {y}");
        }
    }

    [TestCase("rn")]
    [TestCase("rz")]
    [TestCase("rm")]
    [TestCase("rp")]
    public void A_fused_product_and_sum_is_rounded_once(string mode)
    {
        var (a, b) = InstructionRig.Pairs(InstructionRig.Singles(10));
        var third = InstructionRig.Singles();
        ulong[] c = [.. a.Select((_, i) => third[i * 11 % third.Length])];
        var actual = InstructionRig.Run($"fma.{mode}.f32 {{d}}, {{a}}, {{b}}, {{c}};", 32, (32, a), (32, b), (32, c));
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y, z) = (InstructionRig.Single(a[i]), InstructionRig.Single(b[i]), InstructionRig.Single(c[i]));
            Check(actual[i], MathF.FusedMultiplyAdd(x, y, z), float.IsFinite(x) && float.IsFinite(y)
                && float.IsFinite(z),
                ExactNumber.Of(x) * ExactNumber.Of(y) + ExactNumber.Of(z), mode, $"fma.{mode} {x}, {y}, {z}");
        }
    }

    /// <summary>Exact where everything is finite; what is none is left to IEEE 754 as the host has it.</summary>
    private static void Check(ulong actual, float hosts, bool finite, ExactNumber exact, string mode, string what)
    {
        if (float.IsNaN(hosts)) Assert.That(actual, Is.EqualTo(NotANumber), what);
        else if (!finite) Assert.That(InstructionRig.Single(actual), Is.EqualTo(hosts), what);
        else if (exact.IsZero) Assert.That(InstructionRig.Single(actual), Is.Zero, what);
        else Assert.That(actual, Is.EqualTo(exact.Round(mode, 23, 32)), what);
    }

    [Test]
    public void A_zero_of_opposite_numbers_is_negative_only_where_sums_are_rounded_down()
    {
        ulong[] one = [BitConverter.SingleToUInt32Bits(1)], minus = [BitConverter.SingleToUInt32Bits(-1)];
        foreach (var (mode, expected) in new[] { ("rn", 0u), ("rz", 0u), ("rm", 0x8000_0000u), ("rp", 0u) })
        {
            var actual = InstructionRig.Run($"add.{mode}.f32 {{d}}, {{a}}, {{b}};", 32, (32, one), (32, minus));
            Assert.That(actual[0], Is.EqualTo(expected), mode);
        }
    }

    [Test]
    public void Subnormal_numbers_are_zeros_with_ftz_and_results_lie_between_0_and_1_with_sat()
    {
        var (a, b) = InstructionRig.Pairs(InstructionRig.Singles());
        var flushed = InstructionRig.Run("mul.ftz.f32 {d}, {a}, {b};", 32, (32, a), (32, b));
        var saturated = InstructionRig.Run("add.sat.f32 {d}, {a}, {b};", 32, (32, a), (32, b));
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y) = (InstructionRig.Single(a[i]), InstructionRig.Single(b[i]));
            var product = Zero(x) * Zero(y);
            Assert.That(InstructionRig.Single(flushed[i]),
                Is.EqualTo(float.IsNaN(product) ? float.NaN : Zero(product)), $"{x} * {y}");
            var sum = x + y;
            Assert.That(InstructionRig.Single(saturated[i]), Is.EqualTo(float.IsNaN(sum) ? 0 : Math.Clamp(sum, 0, 1)),
                $"{x} + {y}");
        }

        static float Zero(float x) => Math.Abs(x) < 1.17549435e-38f ? 0 : x;
    }

    [Test]
    public void Minimum_and_maximum_prefer_numbers_and_tell_zeros_apart()
    {
        var (a, b) = InstructionRig.Pairs(InstructionRig.Singles());
        var min = InstructionRig.Run("min.f32 {d}, {a}, {b};", 32, (32, a), (32, b));
        var max = InstructionRig.Run("max.NaN.f32 {d}, {a}, {b};", 32, (32, a), (32, b));
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y) = (InstructionRig.Single(a[i]), InstructionRig.Single(b[i]));
            // Ordered as sign and magnitude, -0 is below +0.
            var (less, more) = Order(x) <= Order(y) ? (x, y) : (y, x);
            if (float.IsNaN(x) && float.IsNaN(y)) Assert.That(min[i], Is.EqualTo(NotANumber));
            else
            {
                var expected = float.IsNaN(x) ? y : float.IsNaN(y) ? x : less;
                Assert.That(min[i], Is.EqualTo(BitConverter.SingleToUInt32Bits(expected)), $"min {x}, {y}");
            }
            Assert.That(max[i], Is.EqualTo(
                float.IsNaN(x) || float.IsNaN(y) ? NotANumber : BitConverter.SingleToUInt32Bits(more)));
        }

        static int Order(float x) => BitConverter.SingleToInt32Bits(x) is var bits && bits < 0
            ? int.MinValue - bits - 1 : bits;
    }

    [TestCase("add.rn", 0)]
    [TestCase("mul.rn", 1)]
    [TestCase("fma.rn", 2)]
    [TestCase("sub.rn", 3)]
    public void Float64_is_rounded_to_nearest(string operation, int kind)
    {
        var (a, b) = InstructionRig.Pairs(InstructionRig.Doubles(16));
        ulong[] c = [.. a.Select((_, i) => b[(i * 5 + 3) % b.Length])];
        var actual = kind == 2 ? InstructionRig.Run("fma.rn.f64 {d}, {a}, {b}, {c};", 64, (64, a), (64, b), (64, c))
            : InstructionRig.Run($"{operation}.f64 {{d}}, {{a}}, {{b}};", 64, (64, a), (64, b));
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y, z) = (InstructionRig.Double(a[i]), InstructionRig.Double(b[i]), InstructionRig.Double(c[i]));
            if (!double.IsFinite(x) || !double.IsFinite(y) || !double.IsFinite(z)) continue;
            var (p, q) = (ExactNumber.Of(x), ExactNumber.Of(y));
            var exact = kind switch { 0 => p + q, 1 => p * q, 2 => p * q + ExactNumber.Of(z), _ => p + -q };
            if (exact.IsZero) Assert.That(InstructionRig.Double(actual[i]), Is.Zero);
            else Assert.That(actual[i], Is.EqualTo(exact.Round("rn", 52, 64)), $"{operation} {x}, {y}, {z}");
        }
    }

    [Test]
    public void Sums_and_products_are_rounded_to_nearest_unless_said_otherwise(
        [Values("add", "sub", "mul")] string operation, [Values(32, 64)] int bits)
    {
        var (a, b) = InstructionRig.Pairs(bits == 64 ? InstructionRig.Doubles() : InstructionRig.Singles());
        Assert.That(InstructionRig.Run($"{operation}.f{bits} {{d}}, {{a}}, {{b}};", bits, (bits, a), (bits, b)),
            Is.EqualTo(InstructionRig.Run($"{operation}.rn.f{bits} {{d}}, {{a}}, {{b}};", bits, (bits, a), (bits, b))));
    }

    [Test]
    public void Quotients_and_roots_are_rounded_to_nearest(
        [Values("div", "rcp", "sqrt")] string operation, [Values(32, 64)] int bits)
    {
        var (a, b) = InstructionRig.Pairs(bits == 64 ? InstructionRig.Doubles() : InstructionRig.Singles());
        var actual = operation == "div"
            ? InstructionRig.Run($"div.rn.f{bits} {{d}}, {{a}}, {{b}};", bits, (bits, a), (bits, b))
            : InstructionRig.Run($"{operation}.rn.f{bits} {{d}}, {{a}};", bits, (bits, b));
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y) = operation == "div" ? (Value(a[i]), Value(b[i])) : (1, Value(b[i]));
            var what = $"{operation} {x:r}, {y:r}";
            var hosts = operation == "sqrt" ? Math.Sqrt(y) : x / y;
            var result = Value(actual[i]);
            if (double.IsNaN(hosts)) Assert.That(result, Is.NaN, what);
            else if (x == 0 || y == 0 || !double.IsFinite(x) || !double.IsFinite(y))
                Assert.That((result, double.IsNegative(result)), Is.EqualTo((hosts, double.IsNegative(hosts))), what);
            else
            {
                var exact = operation == "sqrt" ? ExactNumber.Of(y).Root() : ExactNumber.Of(x) / ExactNumber.Of(y);
                Assert.That(actual[i], Is.EqualTo(exact.Round("rn", bits == 64 ? 52 : 23, bits)), what);
            }
        }

        double Value(ulong x) => bits == 64 ? InstructionRig.Double(x) : InstructionRig.Single(x);
    }

    private static bool IsNone(ulong x, int bits) => bits == 64
        ? double.IsNaN(InstructionRig.Double(x)) : float.IsNaN(InstructionRig.Single(x));

    [Test]
    public void Signs_are_taken_off_and_turned([Values(32, 64)] int bits)
    {
        var a = bits == 64 ? InstructionRig.Doubles() : InstructionRig.Singles();
        var sign = 1UL << (bits - 1);
        a = [.. a.Where(x => !IsNone(x, bits))];
        Assert.That(
            InstructionRig.Run($"abs.f{bits} {{d}}, {{a}};", bits, (bits, a)), Is.EqualTo(a.Select(x => x & ~sign)));
        Assert.That(
            InstructionRig.Run($"neg.f{bits} {{d}}, {{a}};", bits, (bits, a)), Is.EqualTo(a.Select(x => x ^ sign)));
    }

    [Test]
    public void A_sign_is_copied([Values(32, 64)] int bits)
    {
        var (a, b) = InstructionRig.Pairs(bits == 64 ? InstructionRig.Doubles(6) : InstructionRig.Singles(6));
        var sign = 1UL << (bits - 1);
        // The first operand gives the sign.
        Assert.That(InstructionRig.Run($"copysign.f{bits} {{d}}, {{a}}, {{b}};", bits, (bits, a), (bits, b)),
            Is.EqualTo(a.Zip(b, (x, y) => (x & sign) | (y & ~sign))));
    }

    [Test]
    public void A_maximum_is_a_minimum_of_opposite_numbers([Values(32, 64)] int bits)
    {
        var (a, b) = InstructionRig.Pairs(bits == 64 ? InstructionRig.Doubles() : InstructionRig.Singles());
        var sign = 1UL << (bits - 1);
        ulong[] Opposite(ulong[] x) => [.. x.Select(v => v ^ sign)];
        var max = InstructionRig.Run($"max.f{bits} {{d}}, {{a}}, {{b}};", bits, (bits, a), (bits, b));
        var min = InstructionRig.Run(
            $"min.f{bits} {{d}}, {{a}}, {{b}};", bits, (bits, Opposite(a)), (bits, Opposite(b)));
        for (var i = 0; i < a.Length; i++)
        {
            // What is no number has no sign to turn.
            if (IsNone(min[i], bits)) Assert.That(IsNone(max[i], bits), $"{a[i]:x}, {b[i]:x}");
            else Assert.That(max[i], Is.EqualTo(min[i] ^ sign), $"{a[i]:x}, {b[i]:x}");
        }
    }

    [TestCase("ex2.approx")]
    [TestCase("rcp.approx")]
    [TestCase("lg2.approx")]
    [TestCase("rsqrt.approx")]
    [TestCase("sin.approx")]
    [TestCase("cos.approx")]
    public void An_approximation_with_ftz_neither_takes_nor_gives_subnormal_numbers(string operation)
    {
        var a = InstructionRig.Singles(200);
        var actual = InstructionRig.Run($"{operation}.ftz.f32 {{d}}, {{a}};", 32, (32, a));
        var expected = InstructionRig.Run($"{operation}.f32 {{d}}, {{a}};", 32, (32, [.. a.Select(Flushed)]));
        Assert.That(actual, Is.EqualTo(expected.Select(Flushed)));

        static ulong Flushed(ulong x) => (x & 0x7f80_0000) == 0 ? x & 0x8000_0000 : x;
    }

    [TestCase("rcp.rn.f32", 1.0)]
    [TestCase("sqrt.rn.f32", 1.0)]
    [TestCase("rcp.approx.f32", 2.0)]
    [TestCase("rsqrt.approx.f32", 2.0)]
    [TestCase("ex2.approx.f32", 2.0)]
    [TestCase("lg2.approx.f32", 2.0)]
    [TestCase("sin.approx.f32", 2.0)]
    [TestCase("cos.approx.f32", 2.0)]
    [TestCase("tanh.approx.f32", 2.0)]
    public void Functions_are_near_their_values(string operation, double ulps)
    {
        var a = InstructionRig.Singles(200);
        var actual = InstructionRig.Run(operation + " {d}, {a};", 32, (32, a));
        for (var i = 0; i < a.Length; i++)
        {
            double x = InstructionRig.Single(a[i]);
            var expected = operation.Split('.')[0] switch
            {
                "rcp" => 1 / x,
                "sqrt" => Math.Sqrt(x),
                "rsqrt" => x == 0 ? 1 / x : x < 0 ? double.NaN : Math.Pow(x, -0.5),
                "ex2" => Math.Exp(x * Math.Log(2)),
                "lg2" => Math.Log(x) / Math.Log(2),
                "sin" => 2 * Math.Sin(x / 2) * Math.Cos(x / 2),
                "cos" => 1 - 2 * Math.Pow(Math.Sin(x / 2), 2),
                _ => Math.Abs(x) < 1e-3 ? x - x * x * x / 3 : Math.Abs(x) > 20 ? Math.Sign(x)
                    : 1 - 2 / (Math.Exp(2 * x) + 1),
            };
            var result = InstructionRig.Single(actual[i]);
            if (double.IsNaN(expected)) Assert.That(actual[i], Is.EqualTo(NotANumber), $"{operation} {x}");
            else if (!float.IsFinite((float)expected))
                Assert.That(result, Is.EqualTo((float)expected), $"{operation} {x}");
            else
            {
                // Also what the other formula loses of sines and cosines where they are near zero.
                var step = Math.Max(Math.Abs(expected) * Math.ScaleB(1, -23), float.Epsilon) * ulps
                    + (operation[..3] is "sin" or "cos" ? 1e-15 : 0);
                Assert.That(result, Is.EqualTo(expected).Within(step), $"{operation} {x}");
            }
        }
    }
}
