using System.Numerics;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>
/// Integer instructions against the PTX manual's words (sections 9.7.1 and 9.7.2) in whole numbers of any size.
/// </summary>
public sealed class IntegerInstructionTests
{
    [TestCase("add", "u16")]
    [TestCase("add", "s16")]
    [TestCase("add", "u32")]
    [TestCase("add", "s32")]
    [TestCase("add", "s64")]
    [TestCase("sub", "s16")]
    [TestCase("sub", "u32")]
    [TestCase("sub", "s32")]
    [TestCase("sub", "u64")]
    [TestCase("sub", "s64")]
    [TestCase("mul.lo", "s16")]
    [TestCase("mul.lo", "u32")]
    [TestCase("mul.lo", "s32")]
    [TestCase("mul.lo", "s64")]
    [TestCase("mul.hi", "s16")]
    [TestCase("mul.hi", "u16")]
    [TestCase("mul.hi", "s32")]
    [TestCase("mul.hi", "u32")]
    [TestCase("mul.hi", "s64")]
    [TestCase("mul.hi", "u64")]
    [TestCase("mul.wide", "s16")]
    [TestCase("mul.wide", "u16")]
    [TestCase("mul.wide", "s32")]
    [TestCase("mul.wide", "u32")]
    [TestCase("min", "s16")]
    [TestCase("min", "u32")]
    [TestCase("min", "s32")]
    [TestCase("min", "s64")]
    [TestCase("min", "u64")]
    [TestCase("max", "u16")]
    [TestCase("max", "s32")]
    [TestCase("max", "u32")]
    [TestCase("max", "s64")]
    [TestCase("max", "u64")]
    [TestCase("add.sat", "s32")]
    [TestCase("sub.sat", "s32")]
    [TestCase("div", "s16")]
    [TestCase("div", "u32")]
    [TestCase("div", "s32")]
    [TestCase("div", "s64")]
    [TestCase("div", "u64")]
    [TestCase("rem", "u16")]
    [TestCase("rem", "s32")]
    [TestCase("rem", "s64")]
    [TestCase("rem", "u64")]
    public void An_instruction_of_two_sources_gives_what_the_manual_says(string operation, string type)
    {
        var bits = int.Parse(type[1..]);
        var (a, b) = InstructionRig.Pairs(InstructionRig.Integers(bits));
        if (operation is "div" or "rem") (a, b) = Where(a, b, (_, y) => y != 0);
        var resultBits = operation == "mul.wide" ? 2 * bits : bits;
        var actual = InstructionRig.Run($"{operation}.{type} {{d}}, {{a}}, {{b}};", resultBits, (bits, a), (bits, b));
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y) = (Number(a[i], type), Number(b[i], type));
            var expected = operation switch
            {
                "add" => x + y,
                "sub" => x - y,
                "mul.lo" or "mul.wide" => x * y,
                "mul.hi" => x * y >> bits,
                "min" => BigInteger.Min(x, y),
                "max" => BigInteger.Max(x, y),
                "add.sat" => BigInteger.Min(BigInteger.Max(x + y, int.MinValue), int.MaxValue),
                "sub.sat" => BigInteger.Min(BigInteger.Max(x - y, int.MinValue), int.MaxValue),
                "div" => BigInteger.Divide(x, y),
                _ => BigInteger.Remainder(x, y),
            };
            Assert.That(actual[i], Is.EqualTo(Bits(expected, resultBits)), $"{operation}.{type} {x}, {y}");
        }
    }

    [TestCase("mad.lo", "u16")]
    [TestCase("mad.lo", "s32")]
    [TestCase("mad.lo", "u64")]
    [TestCase("mad.hi", "u32")]
    [TestCase("mad.hi", "s32")]
    [TestCase("mad.hi", "s64")]
    [TestCase("mad.wide", "s16")]
    [TestCase("mad.wide", "u32")]
    [TestCase("mad.wide", "s32")]
    [TestCase("sad", "s32")]
    [TestCase("sad", "u64")]
    public void An_instruction_of_three_sources_gives_what_the_manual_says(string operation, string type)
    {
        var bits = int.Parse(type[1..]);
        var resultBits = operation == "mad.wide" ? 2 * bits : bits;
        var (a, b) = InstructionRig.Pairs(InstructionRig.Integers(bits));
        var third = InstructionRig.Integers(resultBits);
        ulong[] c = [.. a.Select((_, i) => third[i * 7 % third.Length])];
        var actual = InstructionRig.Run(
            $"{operation}.{type} {{d}}, {{a}}, {{b}}, {{c}};", resultBits, (bits, a), (bits, b), (resultBits, c));
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y, z) = (Number(a[i], type), Number(b[i], type), new BigInteger(c[i]));
            var expected = operation switch
            {
                "mad.hi" => (x * y >> bits) + z,
                "sad" => z + BigInteger.Abs(x - y),
                _ => x * y + z,
            };
            Assert.That(actual[i], Is.EqualTo(Bits(expected, resultBits)), $"{operation}.{type} {x}, {y}, {z}");
        }
    }

    [TestCase("abs", "s16")]
    [TestCase("abs", "s32")]
    [TestCase("abs", "s64")]
    [TestCase("neg", "s16")]
    [TestCase("neg", "s32")]
    [TestCase("neg", "s64")]
    public void An_instruction_of_one_source_gives_what_the_manual_says(string operation, string type)
    {
        var bits = int.Parse(type[1..]);
        var a = InstructionRig.Integers(bits);
        var actual = InstructionRig.Run($"{operation}.{type} {{d}}, {{a}};", bits, (bits, a));
        for (var i = 0; i < a.Length; i++)
        {
            var x = Number(a[i], type);
            Assert.That(actual[i], Is.EqualTo(Bits(operation == "abs" ? BigInteger.Abs(x) : -x, bits)),
                $"{operation} {x}");
        }
    }

    [TestCase(32)]
    [TestCase(64)]
    public void Words_with_carries_are_one_long_number(int bits)
    {
        var words = InstructionRig.Integers(bits, 8);
        var (a, b) = InstructionRig.Pairs(words);
        ulong[] c = [.. b.Reverse()];
        var register = bits == 32 ? "%r" : "%d";
        string Run(string first, string second) =>
            $"{first}.u{bits} {register}20, {{a}}, {{b}}; {second}.u{bits} {{d}}, {{b}}, {{c}};";
        var sums = InstructionRig.Run(Run("add.cc", "addc"), bits, (bits, a), (bits, b), (bits, c));
        var differences = InstructionRig.Run(Run("sub.cc", "subc"), bits, (bits, a), (bits, b), (bits, c));
        var products = InstructionRig.Run(
            $"mad.lo.cc.u{bits} {register}20, {{a}}, {{b}}, {{c}}; madc.hi.u{bits} {{d}}, {{a}}, {{b}}, 0;", bits,
            (bits, a), (bits, b), (bits, c));
        for (var i = 0; i < a.Length; i++)
        {
            BigInteger x = a[i], y = b[i], z = c[i];
            Assert.That(sums[i], Is.EqualTo(Bits((x + y + (y + z << bits)) >> bits, bits)), $"{x} + {y}");
            Assert.That(differences[i], Is.EqualTo(Bits((x - y + (y - z << bits)) >> bits, bits)), $"{x} - {y}");
            Assert.That(products[i], Is.EqualTo(Bits(x * y + z >> bits, bits)), $"{x} * {y} + {z}");
        }
    }

    private static (ulong[] A, ulong[] B) Where(ulong[] a, ulong[] b, Func<ulong, ulong, bool> keep)
    {
        var kept = Enumerable.Range(0, a.Length).Where(i => keep(a[i], b[i])).ToArray();
        return ([.. kept.Select(i => a[i])], [.. kept.Select(i => b[i])]);
    }

    private static BigInteger Number(ulong bits, string type)
    {
        var width = int.Parse(type[1..]);
        return type[0] == 's' && bits >> (width - 1) != 0 ? new BigInteger(bits) - (BigInteger.One << width) : bits;
    }

    private static ulong Bits(BigInteger x, int bits) => (ulong)(x & ((BigInteger.One << bits) - 1));
}
