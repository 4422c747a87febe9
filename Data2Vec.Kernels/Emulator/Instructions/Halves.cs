using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// add, sub, mul, fma, min, max, abs, neg of float16 and bfloat16, alone or two in a register: computed in double,
/// rounded once. Source: PTX ISA 8.4, section 9.7.4.
/// </summary>
internal static unsafe class Halves
{
    public static void Decode(Decoder d)
    {
        var sources = d.Parts[0] switch { "fma" => 3, "abs" or "neg" => 1, _ => 2 };
        d.Operands(sources, InstructionClass.Float);
        d.Ins.Value = d.Parts[0] switch
        {
            "add" => 0, "sub" => 1, "mul" => 2, "fma" => 3,
            "min" => d.Has("NaN") ? 4 : 5, "max" => d.Has("NaN") ? 6 : 7,
            "abs" => 8, "neg" => 9, _ => throw d.Refuse("is not supported"),
        };
        if (d.Has("ftz") || d.Has("sat") || d.Has("xorsign") || d.Has("oob")) throw d.Refuse("is not supported");
        d.Ins.Count = d.Type.Packed ? 2 : 1;
        d.Ins.Signed = d.Has("relu");
        d.Ins.Step = d.Type.Kind == 'h' ? &Run<Bfloat16> : &Run<Float16>;
    }

    private interface IFormat
    {
        static abstract float Read(uint bits);

        static abstract uint Write(float x);
    }

    private static void Run<TFormat>(Warp w, Instruction i, uint mask)
        where TFormat : IFormat
    {
        uint* d = w.At<uint>(i.D), a = w.At<uint>(i.A);
        uint* b = w.At<uint>(i.B), c = w.At<uint>(i.C);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            var result = 0u;
            for (var part = 0; part < i.Count; part++)
            {
                var shift = 16 * part;
                result |= One<TFormat>(
                    i, a[k] >> shift & 0xffff, b[k] >> shift & 0xffff, c[k] >> shift & 0xffff) << shift;
            }
            d[k] = result;
        }
    }

    private static uint One<TFormat>(Instruction i, uint a, uint b, uint c)
        where TFormat : IFormat
    {
        if (i.Value == 8) return a & 0x7fff;
        if (i.Value == 9) return a ^ 0x8000;
        var (x, y) = (TFormat.Read(a), TFormat.Read(b));
        double result = i.Value switch
        {
            0 => HalfFormats.SumToOdd(x, y),
            1 => HalfFormats.SumToOdd(x, -y),
            2 => (double)x * y,
            3 => HalfFormats.SumToOdd((double)x * y, TFormat.Read(c)),
            4 => float.Min(x, y),
            5 => float.MinNumber(x, y),
            6 => float.Max(x, y),
            _ => float.MaxNumber(x, y),
        };
        if (i.Signed && result < 0) result = 0;
        return TFormat.Write(HalfFormats.RoundToOdd(result));
    }

    private struct Bfloat16 : IFormat
    {
        public static float Read(uint bits) => HalfFormats.FromBfloat16(bits);

        public static uint Write(float x) => HalfFormats.ToBfloat16(x);
    }

    private struct Float16 : IFormat
    {
        public static float Read(uint bits) => HalfFormats.FromFloat16(bits);

        public static uint Write(float x) => HalfFormats.ToFloat16(x);
    }
}
