using System.Numerics;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>
/// Shifts, fields, logic and selections, bit by bit as the PTX manual writes them (sections 9.7.1, 9.7.6, 9.7.7).
/// </summary>
public sealed class BitInstructionTests
{
    private static readonly ulong[] Shifts =
        [0, 1, 4, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200, 0x8000_0000, 0xffff_ffff];

    [TestCase("shl", "b16")]
    [TestCase("shl", "b32")]
    [TestCase("shl", "b64")]
    [TestCase("shr", "u16")]
    [TestCase("shr", "s16")]
    [TestCase("shr", "b32")]
    [TestCase("shr", "s32")]
    [TestCase("shr", "u64")]
    [TestCase("shr", "s64")]
    public void Shifts_stop_at_the_width(string operation, string type)
    {
        var bits = int.Parse(type[1..]);
        var (a, n) = InstructionRig.Pairs(InstructionRig.Integers(bits), Shifts);
        var actual = InstructionRig.Run($"{operation}.{type} {{d}}, {{a}}, {{b}};", bits, (bits, a), (32, n));
        for (var i = 0; i < a.Length; i++)
        {
            ulong expected = 0;
            for (var to = 0; to < bits; to++)
            {
                var from = operation == "shl" ? to - (long)n[i] : to + (long)n[i];
                var bit = from >= 0 && from < bits ? a[i] >> (int)from & 1 : type[0] == 's' ? a[i] >> (bits - 1) & 1
                    : 0;
                expected |= bit << to;
            }
            Assert.That(actual[i], Is.EqualTo(expected), $"{operation}.{type} {a[i]:x}, {n[i]}");
        }
    }

    [TestCase("l", "wrap")]
    [TestCase("l", "clamp")]
    [TestCase("r", "wrap")]
    [TestCase("r", "clamp")]
    public void A_funnel_shift_moves_two_words(string direction, string mode)
    {
        var (a, n) = InstructionRig.Pairs(InstructionRig.Integers(32, 8), Shifts);
        ulong[] b = [.. a.Reverse()];
        var actual = InstructionRig.Run(
            $"shf.{direction}.{mode}.b32 {{d}}, {{a}}, {{b}}, {{c}};", 32, (32, a), (32, b), (32, n));
        for (var i = 0; i < a.Length; i++)
        {
            var by = (int)(mode == "wrap" ? n[i] % 32 : Math.Min(n[i], 32));
            var both = new BigInteger(b[i]) * (1UL << 32) + a[i];
            var expected = direction == "l" ? both * BigInteger.Pow(2, by) >> 32 & uint.MaxValue
                : both >> by & uint.MaxValue;
            Assert.That(actual[i], Is.EqualTo((ulong)expected), $"{a[i]:x}, {b[i]:x}, {n[i]}");
        }
    }

    [TestCase("u32")]
    [TestCase("s32")]
    [TestCase("u64")]
    [TestCase("s64")]
    public void Fields_are_extracted_and_inserted(string type)
    {
        var bits = int.Parse(type[1..]);
        ulong[] positions = [0, 1, 5, 31, 32, 40, 63, 64, 255, 256], lengths = [0, 1, 8, 31, 32, 33, 64, 255, 257];
        var (p, n) = InstructionRig.Pairs(positions, lengths);
        var values = InstructionRig.Integers(bits, 6);
        ulong[] a = [.. values.SelectMany(v => Enumerable.Repeat(v, p.Length))];
        (p, n) = ([.. values.SelectMany(_ => p)], [.. values.SelectMany(_ => n)]);
        ulong[] into = [.. a.Reverse()];
        var extracted = InstructionRig.Run(
            $"bfe.{type} {{d}}, {{a}}, {{b}}, {{c}};", bits, (bits, a), (32, p), (32, n));
        var inserted = InstructionRig.Run(
            $"bfi.b{bits} {{d}}, {{a}}, {{b}}, {{c}}, {{e}};", bits, (bits, a), (bits, into), (32, p), (32, n));
        for (var i = 0; i < a.Length; i++)
        {
            // As the manual has it, with msb the highest bit: d[k] = k < len and pos + k <= msb ? a[pos + k] : sign.
            var (position, length, msb) = ((int)(p[i] & 255), (int)(n[i] & 255), bits - 1);
            var sign = type[0] == 'u' || length == 0 ? 0 : a[i] >> Math.Min(position + length - 1, msb) & 1;
            ulong field = 0;
            for (var k = 0; k <= msb; k++)
                field |= (k < length && position + k <= msb ? a[i] >> (position + k) & 1 : sign) << k;
            Assert.That(extracted[i], Is.EqualTo(field), $"bfe.{type} {a[i]:x}, {position}, {length}");
            var whole = into[i];
            for (var k = 0; k < length && position + k <= msb; k++)
                whole = whole & ~(1UL << (position + k)) | (a[i] >> k & 1) << (position + k);
            Assert.That(inserted[i], Is.EqualTo(whole), $"bfi.b{bits} {a[i]:x}, {into[i]:x}, {position}, {length}");
        }
    }

    [Test]
    public void Bytes_are_permuted()
    {
        var (a, s) = InstructionRig.Pairs(
            InstructionRig.Integers(32, 4), [0x3210, 0x7654, 0x0000, 0xfedc, 0x5410, 0x98ba, 0x1_0123]);
        ulong[] b = [.. a.Reverse()];
        var actual = InstructionRig.Run("prmt.b32 {d}, {a}, {b}, {c};", 32, (32, a), (32, b), (32, s));
        for (var i = 0; i < a.Length; i++)
        {
            byte[] bytes = [.. BitConverter.GetBytes((uint)a[i]), .. BitConverter.GetBytes((uint)b[i])];
            var picked = Enumerable.Range(0, 4).Select(n => (s[i] >> 4 * n & 15) is var c && c < 8 ? bytes[c]
                : bytes[c - 8] > 127 ? (byte)255 : (byte)0).ToArray();
            Assert.That(actual[i], Is.EqualTo(BitConverter.ToUInt32(picked)), $"{a[i]:x}, {b[i]:x}, {s[i]:x}");
        }
    }

    [TestCase(32)]
    [TestCase(64)]
    public void Bits_are_counted_found_and_reversed(int bits)
    {
        var a = InstructionRig.Integers(bits, 40);
        var count = InstructionRig.Run($"popc.b{bits} {{d}}, {{a}};", 32, (bits, a));
        var zeros = InstructionRig.Run($"clz.b{bits} {{d}}, {{a}};", 32, (bits, a));
        var highest = InstructionRig.Run($"bfind.u{bits} {{d}}, {{a}};", 32, (bits, a));
        var signed = InstructionRig.Run($"bfind.s{bits} {{d}}, {{a}};", 32, (bits, a));
        var distance = InstructionRig.Run($"bfind.shiftamt.u{bits} {{d}}, {{a}};", 32, (bits, a));
        var reversed = InstructionRig.Run($"brev.b{bits} {{d}}, {{a}};", bits, (bits, a));
        for (var i = 0; i < a.Length; i++)
        {
            var text = Convert.ToString((long)a[i], 2).PadLeft(64, '0')[(64 - bits)..];
            Assert.That(count[i], Is.EqualTo((ulong)text.Count(c => c == '1')), text);
            var first = text.IndexOf('1');
            Assert.That(zeros[i], Is.EqualTo((ulong)(first < 0 ? bits : first)), text);
            Assert.That(highest[i], Is.EqualTo(first < 0 ? uint.MaxValue : (ulong)(bits - 1 - first)), text);
            Assert.That(distance[i], Is.EqualTo(first < 0 ? uint.MaxValue : (ulong)first), text);
            var differs = text.IndexOf(text[0] == '1' ? '0' : '1');
            Assert.That(signed[i], Is.EqualTo(differs < 0 ? uint.MaxValue : (ulong)(bits - 1 - differs)), text);
            Assert.That(reversed[i], Is.EqualTo(Convert.ToUInt64(new string([.. text.Reverse()]), 2)), text);
        }
    }

    [Test]
    public void Logic_works_on_every_bit(
        [Values("and", "or", "xor", "not", "cnot")] string operation, [Values(16, 32, 64)] int bits)
    {
        var (a, b) = InstructionRig.Pairs(InstructionRig.Integers(bits, 12));
        var one = operation is "not" or "cnot";
        var actual = InstructionRig.Run(
            $"{operation}.b{bits} {{d}}, {{a}}{(one ? "" : ", {b}")};", bits, (bits, a), (bits, b));
        for (var i = 0; i < a.Length; i++)
        {
            ulong expected = 0;
            for (var k = 0; k < bits; k++)
            {
                var (x, y) = ((a[i] >> k & 1) != 0, (b[i] >> k & 1) != 0);
                if (operation switch { "and" => x && y, "or" => x || y, "xor" => x != y, _ => !x })
                    expected |= 1UL << k;
            }
            if (operation == "cnot") expected = a[i] == 0 ? 1u : 0;
            Assert.That(actual[i], Is.EqualTo(expected), $"{operation} {a[i]:x}, {b[i]:x}");
        }
    }

    [Test]
    public void A_table_of_three_sources_is_looked_up([Values(0x80, 0xfe, 0x96, 0xca, 0x1b, 0x00, 0xff)] int table)
    {
        var (a, b) = InstructionRig.Pairs(InstructionRig.Integers(32, 4));
        ulong[] c = [.. a.Select((x, i) => (x * 2654435761 + (ulong)i) & uint.MaxValue)];
        var actual = InstructionRig.Run(
            $"lop3.b32 {{d}}, {{a}}, {{b}}, {{c}}, {table};", 32, (32, a), (32, b), (32, c));
        for (var i = 0; i < a.Length; i++)
        {
            ulong expected = 0;
            for (var k = 0; k < 32; k++)
            {
                var row = (int)(4 * (a[i] >> k & 1) + 2 * (b[i] >> k & 1) + (c[i] >> k & 1));
                expected |= (ulong)(table >> row & 1) << k;
            }
            Assert.That(actual[i], Is.EqualTo(expected));
        }
    }

    [Test]
    public void Predicates_are_combined()
    {
        var (a, b) = InstructionRig.Pairs([0, 1]);
        foreach (var (operation, expected) in new[] { ("and", 8), ("or", 14), ("xor", 6) })
        {
            var actual = InstructionRig.Run($"{operation}.pred {{d}}, {{a}}, {{b}};", 1, (1, a), (1, b));
            for (var i = 0; i < 4; i++)
                Assert.That(actual[i], Is.EqualTo((ulong)(expected >> (int)(2 * a[i] + b[i]) & 1)), operation);
        }
        Assert.That(InstructionRig.Run("not.pred {d}, {a};", 1, (1, a)), Is.EqualTo(a.Select(x => 1 - x)));
        Assert.That(InstructionRig.Run("and.pred {d}, {a}, !{b};", 1, (1, a), (1, b)),
            Is.EqualTo(new ulong[] { 0, 0, 1, 0 }));
        Assert.That(InstructionRig.Run("mov.pred {d}, {a};", 1, (1, a)), Is.EqualTo(a));
    }
}
