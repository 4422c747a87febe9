using System.Numerics;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>setp, set, selp, slct, testp (PTX manual, sections 9.7.3 and 9.7.6).</summary>
public sealed class ComparisonTests
{
    [Test]
    public void Integers_are_compared_by_their_kind(
        [Values("u16", "s16", "u32", "s32", "u64", "s64")] string type,
            [Values("eq", "ne", "lt", "le", "gt", "ge")] string relation)
    {
        var bits = int.Parse(type[1..]);
        var (a, b) = InstructionRig.Pairs(InstructionRig.Integers(bits, 8));
        var actual = InstructionRig.Run($"setp.{relation}.{type} {{d}}, {{a}}, {{b}};", 1, (bits, a), (bits, b));
        for (var i = 0; i < a.Length; i++)
        {
            var order = Number(a[i]).CompareTo(Number(b[i]));
            Assert.That(actual[i] != 0, Is.EqualTo(Holds(relation, order)), $"{a[i]:x} {relation} {b[i]:x}");
        }

        BigInteger Number(ulong x) => type[0] == 's' && x >> (bits - 1) != 0 ? x - BigInteger.Pow(2, bits) : x;
    }

    [Test]
    public void Bits_are_the_same_or_not([Values(16, 32, 64)] int bits)
    {
        var (a, b) = InstructionRig.Pairs(InstructionRig.Integers(bits, 8));
        ulong[] same = [.. a.Select((x, i) => x == b[i] ? 1UL : 0)];
        Assert.That(InstructionRig.Run($"setp.eq.b{bits} {{d}}, {{a}}, {{b}};", 1, (bits, a), (bits, b)),
            Is.EqualTo(same));
        Assert.That(InstructionRig.Run($"setp.ne.b{bits} {{d}}, {{a}}, {{b}};", 1, (bits, a), (bits, b)),
            Is.EqualTo(same.Select(s => 1 - s)));
    }

    [TestCase("lo", "lt")]
    [TestCase("ls", "le")]
    [TestCase("hi", "gt")]
    [TestCase("hs", "ge")]
    public void Unsigned_relations_have_names_of_their_own(string name, string relation)
    {
        var (a, b) = InstructionRig.Pairs(InstructionRig.Integers(32, 8));
        Assert.That(InstructionRig.Run($"setp.{name}.u32 {{d}}, {{a}}, {{b}};", 1, (32, a), (32, b)),
            Is.EqualTo(InstructionRig.Run($"setp.{relation}.u32 {{d}}, {{a}}, {{b}};", 1, (32, a), (32, b))));
    }

    [Test]
    public void Floats_are_compared_with_or_without_what_is_no_number(
        [Values("eq", "ne", "lt", "le", "gt", "ge", "num", "nan")] string relation, [Values] bool unordered,
            [Values] bool wide)
    {
        if (unordered && relation.Length == 3) return;
        var (a, b) = InstructionRig.Pairs(wide ? InstructionRig.Doubles(6) : InstructionRig.Singles(6));
        var name = relation + (unordered ? "u" : "");
        var bits = wide ? 64 : 32;
        var actual = InstructionRig.Run($"setp.{name}.f{bits} {{d}}, {{a}}, {{b}};", 1, (bits, a), (bits, b));
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y) = wide ? (InstructionRig.Double(a[i]), InstructionRig.Double(b[i]))
                : (InstructionRig.Single(a[i]), InstructionRig.Single(b[i]));
            var isNone = double.IsNaN(x) || double.IsNaN(y);
            var expected = relation switch
            {
                "num" => !isNone,
                "nan" => isNone,
                _ => isNone ? unordered : Holds(relation, x < y ? -1 : x > y ? 1 : 0),
            };
            Assert.That(actual[i] != 0, Is.EqualTo(expected), $"{x} {name} {y}");
        }
    }

    [TestCase("and")]
    [TestCase("or")]
    [TestCase("xor")]
    public void A_comparison_is_combined_with_a_third_predicate(string combination)
    {
        var (a, b) = InstructionRig.Pairs([1, 2]);
        (a, b) = ([.. a, .. a], [.. b, .. b]);
        ulong[] c = [0, 0, 0, 0, 1, 1, 1, 1];
        foreach (var (text, negated, second) in new[] { ("{c}", false, false), ("!{c}", true, false),
            ("{c}", false, true) })
        {
            var target = second ? "%p9|{d}" : "{d}|%p9";
            var actual = InstructionRig.Run(
                $"setp.lt.{combination}.u32 {target}, {{a}}, {{b}}, {text};", 1, (32, a), (32, b), (1, c));
            for (var i = 0; i < a.Length; i++)
            {
                var (x, y) = (a[i] < b[i] != second, c[i] != 0 != negated);
                var expected = combination switch { "and" => x && y, "or" => x || y, _ => x != y };
                Assert.That(actual[i] != 0, Is.EqualTo(expected), $"{target} {text} {a[i]} {b[i]} {c[i]}");
            }
        }
    }

    [Test]
    public void Values_are_selected_by_a_predicate_or_a_sign()
    {
        ulong[] a = [1, 2, 3, 4], b = [5, 6, 7, 8], p = [1, 0, 0, 1];
        ulong[] expected = [1, 6, 7, 4];
        foreach (var type in new[] { "b16", "u16", "s16", "b32", "u32", "s32", "f32", "b64", "u64", "s64", "f64" })
        {
            var bits = int.Parse(type[1..]);
            Assert.That(
                InstructionRig.Run($"selp.{type} {{d}}, {{a}}, {{b}}, {{c}};", bits, (bits, a), (bits, b), (1, p)),
                Is.EqualTo(expected), type);
        }
        Assert.That(InstructionRig.Run("selp.b32 {d}, {a}, {b}, !{c};", 32, (32, b), (32, a), (1, p)),
            Is.EqualTo(expected));
        ulong[] signs = [0, 0xffff_ffff, 0x8000_0000, 7];
        Assert.That(InstructionRig.Run("slct.u32.s32 {d}, {a}, {b}, {c};", 32, (32, a), (32, b), (32, signs)),
            Is.EqualTo(expected));
        Assert.That(InstructionRig.Run("set.lt.u32.u32 {d}, {a}, {b};", 32, (32, a), (32, b)),
            Is.All.EqualTo(uint.MaxValue));
        Assert.That(InstructionRig.Run("set.gt.f32.u32 {d}, {b}, {a};", 32, (32, a), (32, b)),
            Is.All.EqualTo(0x3f80_0000));
    }

    [Test]
    public void Floats_are_classified([Values] bool wide)
    {
        var a = wide ? InstructionRig.Doubles() : InstructionRig.Singles();
        var bits = wide ? 64 : 32;
        var (exponents, digits) = wide ? (2047UL, 52) : (255UL, 23);
        foreach (var test in new[] { "finite", "infinite", "number", "notanumber", "normal", "subnormal" })
        {
            var actual = InstructionRig.Run($"testp.{test}.f{bits} {{d}}, {{a}};", 1, (bits, a));
            for (var i = 0; i < a.Length; i++)
            {
                var (exponent, fraction) = (a[i] >> digits & exponents, a[i] & ((1UL << digits) - 1));
                var expected = test switch
                {
                    "finite" => exponent != exponents,
                    "infinite" => exponent == exponents && fraction == 0,
                    "number" => exponent != exponents || fraction == 0,
                    "notanumber" => exponent == exponents && fraction != 0,
                    "normal" => exponent != exponents && exponent != 0,
                    _ => exponent == 0 && fraction != 0,
                };
                Assert.That(actual[i] != 0, Is.EqualTo(expected), $"{test} {a[i]:x}");
            }
        }
    }

    private static bool Holds(string relation, int order) => relation switch
    {
        "eq" => order == 0,
        "ne" => order != 0,
        "lt" => order < 0,
        "le" => order <= 0,
        "gt" => order > 0,
        _ => order >= 0,
    };
}
