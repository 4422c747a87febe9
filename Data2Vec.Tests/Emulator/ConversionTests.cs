using System.Numerics;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>cvt against exact numbers rounded by hand (PTX manual, section 9.7.9.21).</summary>
public sealed class ConversionTests
{
    private static readonly string[] IntegerTypes = ["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64"];

    [Test]
    public void Integers_are_cut_or_extended(
        [ValueSource(nameof(IntegerTypes))] string to, [ValueSource(nameof(IntegerTypes))] string from,
            [Values] bool saturates)
    {
        var (fromBits, toBits) = (int.Parse(from[1..]), int.Parse(to[1..]));
        var (source, target) = (Math.Max(16, fromBits), Math.Max(16, toBits));
        var a = InstructionRig.Integers(source);
        var actual = InstructionRig.Run(
            $"cvt.{(saturates ? "sat." : "")}{to}.{from} {{d}}, {{a}};", target, (source, a));
        for (var i = 0; i < a.Length; i++)
        {
            var x = Number(a[i] & ulong.MaxValue >> (64 - fromBits), from);
            if (saturates)
            {
                var least = to[0] == 's' ? -BigInteger.Pow(2, toBits - 1) : 0;
                var most = BigInteger.Pow(2, to[0] == 's' ? toBits - 1 : toBits) - 1;
                x = BigInteger.Min(BigInteger.Max(x, least), most);
            }
            // Cut to the type, then extended to the register by the kind of the type.
            var cut = Number((ulong)(x & (BigInteger.Pow(2, toBits) - 1)), to);
            Assert.That(actual[i], Is.EqualTo((ulong)(cut & (BigInteger.Pow(2, target) - 1))), $"{to}.{from} {a[i]:x}");
        }
    }

    [Test]
    public void Floats_become_integers(
        [ValueSource(nameof(IntegerTypes))] string to, [Values("rni", "rzi", "rmi", "rpi")] string mode,
            [Values] bool wide)
    {
        var bits = wide ? 64 : 32;
        var toBits = int.Parse(to[1..]);
        var target = Math.Max(16, toBits);
        var a = wide ? InstructionRig.Doubles(100) : InstructionRig.Singles(100);
        var actual = InstructionRig.Run($"cvt.{mode}.{to}.f{bits} {{d}}, {{a}};", target, (bits, a));
        var least = to[0] == 's' ? -BigInteger.Pow(2, toBits - 1) : 0;
        var most = BigInteger.Pow(2, to[0] == 's' ? toBits - 1 : toBits) - 1;
        for (var i = 0; i < a.Length; i++)
        {
            var x = wide ? InstructionRig.Double(a[i]) : InstructionRig.Single(a[i]);
            BigInteger expected;
            if (double.IsNaN(x)) expected = wide || toBits == 64 ? Number(1UL << (toBits - 1), to) : 0;
            else if (double.IsInfinity(x)) expected = x > 0 ? most : least;
            else expected = BigInteger.Min(BigInteger.Max(ExactNumber.Of(x).Integer(mode[..2]), least), most);
            Assert.That(actual[i], Is.EqualTo((ulong)(expected & (BigInteger.Pow(2, target) - 1))),
                $"{mode}.{to}.f{bits} {x}");
        }
    }

    [Test]
    public void Integers_become_floats(
        [Values("u8", "s16", "u32", "s32", "u64", "s64")] string from, [Values("rn", "rz", "rm", "rp")] string mode,
            [Values] bool wide)
    {
        var bits = int.Parse(from[1..]);
        var source = Math.Max(16, bits);
        ulong[] a = [.. InstructionRig.Integers(source, 100), .. bits == 64
            ? new ulong[] { (1UL << 53) + 1, (1UL << 24) + 1,
            (1UL << 62) + (1UL << 38), (1UL << 62) + (1UL << 38) + 1, (1UL << 62) + (1UL << 9) } : []];
        var actual = InstructionRig.Run(
            $"cvt.{mode}.f{(wide ? 64 : 32)}.{from} {{d}}, {{a}};", wide ? 64 : 32, (source, a));
        for (var i = 0; i < a.Length; i++)
        {
            var x = Number(a[i] & ulong.MaxValue >> (64 - bits), from);
            var expected = x.IsZero ? 0 : new ExactNumber(x, 0).Round(mode, wide ? 52 : 23, wide ? 64 : 32);
            Assert.That(actual[i], Is.EqualTo(expected), $"{mode} {x}");
        }
    }

    [TestCase("rn", "f32", "f64")]
    [TestCase("rz", "f32", "f64")]
    [TestCase("rm", "f32", "f64")]
    [TestCase("rp", "f32", "f64")]
    [TestCase("rn", "f16", "f32")]
    [TestCase("rz", "f16", "f32")]
    [TestCase("rn", "bf16", "f32")]
    [TestCase("rz", "bf16", "f32")]
    [TestCase("rn", "f16", "f64")]
    [TestCase("rna", "tf32", "f32")]
    public void Floats_are_narrowed(string mode, string to, string from)
    {
        var wide = from == "f64";
        var (fraction, bits) = to switch { "f32" => (23, 32), "f16" => (10, 16), "bf16" => (7, 16), _ => (10, 19) };
        ulong[] a = wide ? InstructionRig.Doubles(200)
            : [.. InstructionRig.Singles(200), 0x3f80_8000, 0x3f81_8000, 0x3f80_8001,
            0x3f80_1000, 0x3f80_3000, 0x3f80_2fff, 0x477f_f000, 0x477f_efff, 0x3380_0000, 0x3300_0000, 0x3300_0001];
        var actual = InstructionRig.Run(
            $"cvt.{mode}.{to}.{from} {{d}}, {{a}};", to is "f16" or "bf16" ? 16 : 32, (wide ? 64 : 32, a));
        for (var i = 0; i < a.Length; i++)
        {
            var x = wide ? InstructionRig.Double(a[i]) : InstructionRig.Single(a[i]);
            if (!double.IsFinite(x) || x == 0) continue;
            var expected = ExactNumber.Of(x).Round(mode, fraction, bits);
            // tf32 is a float32 whose last 13 bits are not looked at; it has float32's exponents, so subnormal ones
            // too.
            if (to == "tf32") expected = Math.Abs(x) < 1.17549435e-38 ? actual[i] : expected << 13;
            Assert.That(actual[i], Is.EqualTo(expected), $"{mode}.{to}.{from} {x:r}");
        }
    }

    [Test]
    public void What_is_no_number_or_infinite_stays_so()
    {
        ulong[] a = [0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x8000_0000];
        Assert.That(InstructionRig.Run("cvt.rn.bf16.f32 {d}, {a};", 16, (32, a)),
            Is.EqualTo(new[] { 0x7f80, 0xff80, 0x7fff, 0x8000 }));
        Assert.That(InstructionRig.Run("cvt.rn.f16.f32 {d}, {a};", 16, (32, a)),
            Is.EqualTo(new[] { 0x7c00, 0xfc00, 0x7fff, 0x8000 }));
        Assert.That(InstructionRig.Run("cvt.rna.tf32.f32 {d}, {a};", 32, (32, a)),
            Is.EqualTo(new ulong[] { 0x7f80_0000, 0xff80_0000, 0x7fff_ffff, 0x8000_0000 }));
    }

    [Test]
    public void A_float_is_cut_off_at_0_and_1_and_a_wider_one_holds_it()
    {
        var a = InstructionRig.Singles();
        var saturated = InstructionRig.Run("cvt.sat.f32.f32 {d}, {a};", 32, (32, a));
        var widened = InstructionRig.Run("cvt.f64.f32 {d}, {a};", 64, (32, a));
        for (var i = 0; i < a.Length; i++)
        {
            var x = InstructionRig.Single(a[i]);
            var inside = float.IsNaN(x) ? 0 : Math.Clamp(x, 0, 1);
            Assert.That(InstructionRig.Single(saturated[i]), Is.EqualTo(inside), $"{x}");
            Assert.That(InstructionRig.Double(widened[i]), Is.EqualTo((double)x), $"{x}");
        }
    }

    [Test]
    public void Two_floats_are_packed_the_first_one_above()
    {
        var (a, b) = InstructionRig.Pairs(InstructionRig.Singles());
        var pairs = InstructionRig.Run("cvt.rn.bf16x2.f32 {d}, {a}, {b};", 32, (32, a), (32, b));
        var upper = InstructionRig.Run("cvt.rn.bf16.f32 {d}, {a};", 16, (32, a));
        var lower = InstructionRig.Run("cvt.rn.bf16.f32 {d}, {a};", 16, (32, b));
        Assert.That(pairs, Is.EqualTo(upper.Zip(lower, (u, l) => u << 16 | l)));
        var positive = InstructionRig.Run("cvt.rn.relu.bf16x2.f32 {d}, {a}, {b};", 32, (32, a), (32, b));
        Assert.That(positive, Is.EqualTo(upper.Zip(lower, (u, l) => Positive(u) << 16 | Positive(l))));

        static ulong Positive(ulong half) => half >= 0x8000 ? 0 : half;
    }

    [TestCase("rni", "f32", 32)]
    [TestCase("rzi", "f32", 32)]
    [TestCase("rmi", "f64", 64)]
    [TestCase("rpi", "f64", 64)]
    public void Floats_are_rounded_to_whole_numbers(string mode, string type, int bits)
    {
        var a = bits == 64 ? InstructionRig.Doubles() : InstructionRig.Singles();
        var actual = InstructionRig.Run($"cvt.{mode}.{type}.{type} {{d}}, {{a}};", bits, (bits, a));
        for (var i = 0; i < a.Length; i++)
        {
            var x = bits == 64 ? InstructionRig.Double(a[i]) : InstructionRig.Single(a[i]);
            if (!double.IsFinite(x)) continue;
            var result = bits == 64 ? InstructionRig.Double(actual[i]) : InstructionRig.Single(actual[i]);
            Assert.That(result, Is.EqualTo((double)ExactNumber.Of(x).Integer(mode[..2])), $"{mode} {x}");
        }
    }

    private static BigInteger Number(ulong bits, string type)
    {
        var width = int.Parse(type[1..]);
        return type[0] == 's' && bits >> (width - 1) != 0 ? bits - BigInteger.Pow(2, width) : bits;
    }
}
