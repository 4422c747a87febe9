using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>
/// Arithmetic of bfloat16 and float16 against exact numbers rounded once (PTX manual, section 9.7.4).
/// </summary>
public sealed class HalfInstructionTests
{
    [Test]
    public void Sums_and_products_are_rounded_once(
        [Values("bf16", "f16")] string type, [Values("add", "sub", "mul", "fma.rn")] string operation,
            [Values] bool packed)
    {
        var (fraction, special) = type == "bf16" ? (7, 0x7f80UL) : (10, 0x7c00UL);
        var values = Values(special);
        var (a, b) = InstructionRig.Pairs(values);
        ulong[] c = [.. a.Select((_, i) => values[i * 13 % values.Length])];
        // Of a packed register the upper halves are those of a neighbour.
        var bits = packed ? 32 : 16;
        ulong[] Pack(ulong[] x) => packed ? [.. x.Select((v, i) => v | x[(i + 1) % x.Length] << 16)] : x;
        var third = operation == "fma.rn" ? ", {c}" : "";
        var actual = InstructionRig.Run($"{operation}.{type}{(packed ? "x2" : "")} {{d}}, {{a}}, {{b}}{third};", bits,
            (bits, Pack(a)), (bits, Pack(b)), (bits, Pack(c)));
        for (var i = 0; i < a.Length; i++)
        {
            Check(actual[i] & 0xffff, i);
            if (packed) Check(actual[i] >> 16, (i + 1) % a.Length);
        }

        void Check(ulong result, int i)
        {
            var (x, y, z) = (Exact(a[i], fraction), Exact(b[i], fraction), Exact(c[i], fraction));
            var exact = operation switch { "add" => x + y, "sub" => x + -y, "mul" => x * y, _ => x * y + z };
            if (exact.IsZero) Assert.That(result & 0x7fff, Is.Zero, $"{a[i]:x} {b[i]:x}");
            else Assert.That(result, Is.EqualTo(exact.Round("rn", fraction, 16)),
                $"{operation} {a[i]:x}, {b[i]:x}, {c[i]:x}");
        }
    }

    [Test]
    public void Signs_and_choices_move_no_other_bits()
    {
        ulong[] a = [0x3f80, 0xbf80, 0x8000, 0x7f80, 0x7fc1], b = [0x4000, 0xc000, 0x0000, 0xff80, 0x3f80];
        Assert.That(InstructionRig.Run("neg.bf16 {d}, {a};", 16, (16, a)), Is.EqualTo(a.Select(x => x ^ 0x8000)));
        Assert.That(InstructionRig.Run("abs.bf16 {d}, {a};", 16, (16, a)), Is.EqualTo(a.Select(x => x & 0x7fff)));
        Assert.That(InstructionRig.Run("min.bf16 {d}, {a}, {b};", 16, (16, a), (16, b)),
            Is.EqualTo(new ulong[] { 0x3f80, 0xc000, 0x8000, 0xff80, 0x3f80 }));
        Assert.That(InstructionRig.Run("max.NaN.bf16 {d}, {a}, {b};", 16, (16, a), (16, b)),
            Is.EqualTo(new ulong[] { 0x4000, 0xbf80, 0x0000, 0x7f80, 0x7fff }));
        Assert.That(InstructionRig.Run("fma.rn.relu.bf16 {d}, {a}, {b}, {b};", 16, (16, [0xc000]), (16, [0x3f80])),
            Is.All.Zero);
    }

    /// <summary>Finite numbers of every size, subnormal ones too.</summary>
    private static ulong[] Values(ulong special)
    {
        var random = new Random(16);
        return [0, 0x8000, 1, 0x8001, special - 1, special >> 1, .. Enumerable.Range(0, 30)
            .Select(_ => (ulong)random.Next(65536)).Where(x => (x & special) != special)];
    }

    private static ExactNumber Exact(ulong bits, int fraction)
    {
        var bias = (1 << (14 - fraction)) - 1;
        var (exponent, digits) =
            ((int)(bits >> fraction & ((1UL << (15 - fraction)) - 1)), bits & ((1UL << fraction) - 1));
        var mantissa = (long)(exponent == 0 ? digits : digits | 1UL << fraction);
        return new ExactNumber(bits >> 15 != 0 ? -mantissa : mantissa, Math.Max(exponent, 1) - bias - fraction);
    }
}
