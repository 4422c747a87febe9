using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// add.cc, addc, sub.cc, subc, mad.cc, madc: arithmetic of many words, with a carry in each lane. Of a difference the
/// carry is the borrow. Source: PTX ISA 8.4, section 9.7.2.
/// </summary>
internal static unsafe class Carries
{
    public static void Decode(Decoder d)
    {
        if (d.Type.Bits < 32 || d.Type.Kind == 'f') throw d.Refuse("is not supported");
        var multiplies = d.Parts[0] is "mad" or "madc";
        d.Operands(multiplies ? 3 : 2, InstructionClass.Integer);
        var carriesIn = d.Parts[0].EndsWith('c');
        var subtracts = d.Parts[0].StartsWith("sub", StringComparison.Ordinal);
        d.Ins.Value = (carriesIn ? 1 : 0) | (d.Has("cc") ? 2 : 0) | (subtracts ? 4 : 0)
            | (multiplies ? 8 : 0) | (d.Has("hi") ? 16 : 0) | (d.Type.Signed ? 32 : 0);
        d.Ins.Step = d.Type.Wide ? &Wide : &Narrow;
    }

    private static void Narrow(Warp w, Instruction i, uint mask)
    {
        uint* d = w.At<uint>(i.D), a = w.At<uint>(i.A);
        uint* b = w.At<uint>(i.B), c = w.At<uint>(i.C);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            var (x, y) = ((ulong)a[k], (ulong)b[k]);
            if ((i.Value & 8) != 0)
            {
                var product = (i.Value & 32) != 0 ? (ulong)((long)(int)a[k] * (int)b[k]) : x * y;
                (x, y) = ((i.Value & 16) != 0 ? product >> 32 : (uint)product, c[k]);
            }
            var carry = (i.Value & 1) != 0 ? w.Carry >> k & 1u : 0u;
            var sum = (i.Value & 4) != 0 ? x - y - carry : x + y + carry;
            d[k] = (uint)sum;
            if ((i.Value & 2) != 0) w.Carry = w.Carry & ~(1u << k) | (uint)(sum >> 32 & 1) << k;
        }
    }

    private static void Wide(Warp w, Instruction i, uint mask)
    {
        ulong* d = w.At<ulong>(i.D), a = w.At<ulong>(i.A);
        ulong* b = w.At<ulong>(i.B), c = w.At<ulong>(i.C);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            UInt128 x = a[k], y = b[k];
            if ((i.Value & 8) != 0)
            {
                var high = (i.Value & 32) != 0 ? (ulong)Math.BigMul((long)a[k], (long)b[k], out _)
                    : Math.BigMul(a[k], b[k], out _);
                (x, y) = ((i.Value & 16) != 0 ? high : a[k] * b[k], c[k]);
            }
            var carry = (i.Value & 1) != 0 ? w.Carry >> k & 1u : 0u;
            var sum = (i.Value & 4) != 0 ? x - y - carry : x + y + carry;
            d[k] = (ulong)sum;
            if ((i.Value & 2) != 0) w.Carry = w.Carry & ~(1u << k) | (uint)(sum >> 64 & 1) << k;
        }
    }
}
