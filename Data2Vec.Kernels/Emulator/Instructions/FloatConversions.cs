using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// cvt from and to floats. All goes through double, which holds every float32, float16, bfloat16 and int32; of int64 to
/// float32 each lane is rounded by hand. Source: PTX ISA 8.4, section 9.7.9.21.
/// </summary>
internal static unsafe class FloatConversions
{
    /// <summary>How a conversion rounds.</summary>
    private enum Rounding
    {
        Nearest,
        Zero,
        Down,
        Up,

        /// <summary>To nearest, ties away from zero.</summary>
        Away,
    }

    public static void Decode(Decoder d)
    {
        var (to, from) = (d.Types[0], d.Types[1]);
        d.Ins.Class = InstructionClass.Convert;
        if (to.Packed || from.Packed)
        {
            Packed(d);
            return;
        }
        (d.Ins.A, d.Ins.WideA) = d.Loose(d.Operand(1), from);
        (d.Ins.D, d.Ins.WideD) = d.Loose(d.Operand(0), to);
        var code = new Code(from, to, RoundingOf(d), d.Parts.Any(p => p is "rni" or "rzi" or "rmi" or "rpi"),
            d.Has("ftz"), d.Has("sat"), d.Has("relu"));
        d.Ins.Extra = code;
        d.Ins.Step = &Run;
    }

    private static Rounding RoundingOf(Decoder d) =>
        d.Parts.FirstOrDefault(p => p.Length >= 2 && p[0] == 'r' && p != "relu") switch
    {
        "rz" or "rzi" => Rounding.Zero,
        "rm" or "rmi" => Rounding.Down,
        "rp" or "rpi" => Rounding.Up,
        "rna" => Rounding.Away,
        _ => Rounding.Nearest,
    };

    /// <summary>d = {a, b} as two halves; a is the upper one.</summary>
    private static void Packed(Decoder d)
    {
        var (to, from) = (d.Types[0], d.Types[1]);
        if (!to.Packed || from is not { Kind: 'f', Bits: 32, Packed: false }) throw d.Refuse("is not supported");
        d.Operands(to, InstructionClass.Convert, from, from);
        d.Ins.Extra = new Code(
            from, to with { Bits = 16, Packed = false }, RoundingOf(d), false, false, d.Has("sat"), d.Has("relu"));
        d.Ins.Step = &RunPacked;
    }

    private static void RunPacked(Warp w, Instruction i, uint mask)
    {
        var code = (Code)i.Extra!;
        uint* d = w.At<uint>(i.D), a = w.At<uint>(i.A), b = w.At<uint>(i.B);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = (uint)(code.Convert(a[k]) << 16 | code.Convert(b[k]));
        }
    }

    private static void Run(Warp w, Instruction i, uint mask)
    {
        var code = (Code)i.Extra!;
        byte* d = w.Registers + i.D, a = w.Registers + i.A;
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            var result = code.Convert(i.WideA ? ((ulong*)a)[k] : ((uint*)a)[k]);
            if (i.WideD) ((ulong*)d)[k] = result;
            else ((uint*)d)[k] = (uint)result;
        }
    }

    /// <summary>A conversion of one value.</summary>
    private sealed class Code(
        PtxType from, PtxType to, Rounding rounding, bool integral, bool flush, bool saturate, bool positive)
    {
        public ulong Convert(ulong bits)
        {
            if (from.Kind is 's' or 'u') return FromInteger(bits);
            var x = Read(bits);
            if (flush && from.Bits == 32) x = Floats.Flush((float)x);
            if (to.Kind is 's' or 'u') return ToInteger(x);
            if (integral) x = Round(x);
            if (saturate) x = Floats.Saturate(x);
            if (positive && x <= 0) x = 0;
            return Write(x);
        }

        private double Read(ulong bits) => (from.Kind, from.Bits) switch
        {
            ('f', 64) => BitConverter.UInt64BitsToDouble(bits),
            ('f', 32) => BitConverter.UInt32BitsToSingle((uint)bits),
            ('h', _) => HalfFormats.FromBfloat16((ushort)bits),
            _ => HalfFormats.FromFloat16((ushort)bits),
        };

        private ulong Write(double x)
        {
            switch (to.Kind, to.Bits)
            {
                case ('f', 64):
                    return BitConverter.DoubleToUInt64Bits(x);
                case ('f', 32):
                    var single = Floats.Canonical(Single(x));
                    return BitConverter.SingleToUInt32Bits(flush ? Floats.Flush(single) : single);
                case ('t', _):
                    return HalfFormats.ToTf32((float)x);
                case ('h', _):
                    var odd = HalfFormats.RoundToOdd(x);
                    return rounding == Rounding.Zero ? HalfFormats.ToBfloat16TowardsZero(odd)
                        : HalfFormats.ToBfloat16(odd);
                default:
                    odd = HalfFormats.RoundToOdd(x);
                    return rounding == Rounding.Zero ? HalfFormats.ToFloat16TowardsZero(odd)
                        : HalfFormats.ToFloat16(odd);
            }
        }

        /// <summary>Rounded to float32 in the direction of the opcode.</summary>
        private float Single(double x)
        {
            var nearest = (float)x;
            return rounding switch
            {
                _ when nearest == x || double.IsNaN(x) || double.IsInfinity(x) => nearest,
                Rounding.Zero => Math.Abs((double)nearest) > Math.Abs(x) ? Towards(nearest, 0) : nearest,
                Rounding.Down => nearest > x ? MathF.BitDecrement(nearest) : nearest,
                Rounding.Up => nearest < x ? MathF.BitIncrement(nearest) : nearest,
                _ => nearest,
            };
        }

        private static float Towards(float x, float target) => x > target ? MathF.BitDecrement(x)
            : MathF.BitIncrement(x);

        private double Round(double x) => rounding switch
        {
            Rounding.Zero => Math.Truncate(x),
            Rounding.Down => Math.Floor(x),
            Rounding.Up => Math.Ceiling(x),
            _ => Math.Round(x, MidpointRounding.ToEven),
        };

        /// <summary>
        /// Clamped to the target; what is no number is 0, or the highest bit if 64 bits are on one side.
        /// </summary>
        private ulong ToInteger(double x)
        {
            if (double.IsNaN(x)) return from.Bits == 64 || to.Bits == 64 ? Extend(1UL << (to.Bits - 1)) : 0;
            x = Round(x);
            var least = to.Signed ? -Math.ScaleB(1, to.Bits - 1) : 0;
            var limit = Math.ScaleB(1, to.Signed ? to.Bits - 1 : to.Bits);
            if (x < least) x = least;
            if (x >= limit) return to.Signed ? (1UL << (to.Bits - 1)) - 1 : ulong.MaxValue >> (64 - to.Bits);
            return Extend(to.Signed ? (ulong)(long)x : (ulong)x);
        }

        /// <summary>
        /// The sign repeated above a narrow signed result, cut to 16 bits where the register has no more.
        /// </summary>
        private ulong Extend(ulong bits) => (to.Signed, to.Bits) switch
        {
            (true, 8) => (ulong)(long)(sbyte)bits,
            (true, 16) => (ushort)bits,
            (_, 8) => (byte)bits,
            (_, 16) => (ushort)bits,
            (_, 32) => (uint)bits,
            _ => bits,
        };

        private ulong FromInteger(ulong bits)
        {
            bits = (from.Signed, from.Bits) switch
            {
                (true, 8) => (ulong)(sbyte)bits,
                (true, 16) => (ulong)(short)bits,
                (true, 32) => (ulong)(int)bits,
                (_, 8) => (byte)bits,
                (_, 16) => (ushort)bits,
                (_, 32) => (uint)bits,
                _ => bits,
            };
            var negative = from.Signed && (long)bits < 0;
            var magnitude = negative ? 0 - bits : bits;
            if (to is { Kind: 'f', Bits: 64 })
            {
                var rounded = Rounded(magnitude, 53, negative);
                return BitConverter.DoubleToUInt64Bits(negative ? -rounded : rounded);
            }
            // To odd at 40 bits first: rounding on to 24 or fewer is then that of the integer.
            var left = Math.Max(0, 64 - BitOperations.LeadingZeroCount(magnitude) - 40);
            var kept = magnitude >> left << left;
            var x = (double)kept;
            if (kept != magnitude) x = (double)(kept | 1UL << left);
            return Write(negative ? -x : x);
        }

        private double Rounded(ulong magnitude, int digits, bool negative)
        {
            var left = Math.Max(0, 64 - BitOperations.LeadingZeroCount(magnitude) - digits);
            var (kept, rest) = (magnitude >> left, left == 0 ? 0 : magnitude & ((1UL << left) - 1));
            var half = left == 0 ? 0 : 1UL << (left - 1);
            var up = rounding switch
            {
                Rounding.Nearest => rest > half || (rest == half && rest != 0 && (kept & 1) != 0),
                Rounding.Down => negative && rest != 0,
                Rounding.Up => !negative && rest != 0,
                _ => false,
            };
            return Math.ScaleB((double)(up ? kept + 1 : kept), left);
        }
    }
}
