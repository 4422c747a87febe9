using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// shl, shr, shf, bfe, bfi, prmt, popc, clz, bfind, brev. Source: PTX ISA 8.4, sections 9.7.1 and 9.7.7.
/// </summary>
internal static unsafe class BitFields
{
    private static readonly PtxType Word = new('u', 32);

    public static readonly (string, Action<Decoder>)[] Families =
    [
        ("shl", ShiftLeft), ("shr", ShiftRight), ("shf", Funnel), ("bfe", Extract), ("bfi", Insert), ("prmt", Permute),
        ("popc", Count), ("clz", LeadingZeros), ("bfind", Find), ("brev", Reverse),
    ];

    private static void ShiftLeft(Decoder d)
    {
        d.Ins.Step = d.Type.Bits switch
        {
            16 => &Lanes.Binary<Left16, uint, uint, uint>,
            32 => &Lanes.Binary<Left32, uint, uint, uint>,
            _ => &Lanes.Binary<Left64, ulong, uint, ulong>,
        };
        d.Operands(d.Type, InstructionClass.Integer, d.Type, Word);
    }

    private static void ShiftRight(Decoder d)
    {
        d.Ins.Step = (d.Type.Signed, d.Type.Bits) switch
        {
            (false, 16) or (false, 32) => &Lanes.Binary<Right32, uint, uint, uint>,
            (true, 16) => &Lanes.Binary<RightSigned16, uint, uint, uint>,
            (true, 32) => &Lanes.Binary<RightSigned32, int, uint, int>,
            (false, _) => &Lanes.Binary<Right64, ulong, uint, ulong>,
            _ => &Lanes.Binary<RightSigned64, long, uint, long>,
        };
        d.Operands(d.Type, InstructionClass.Integer, d.Type, Word);
    }

    private static void Funnel(Decoder d)
    {
        d.Ins.Step = (d.Has("l"), d.Has("wrap")) switch
        {
            (true, true) => &Lanes.Ternary<FunnelLeftWrap, uint, uint, uint, uint>,
            (true, false) => &Lanes.Ternary<FunnelLeftClamp, uint, uint, uint, uint>,
            (false, true) => &Lanes.Ternary<FunnelRightWrap, uint, uint, uint, uint>,
            _ => &Lanes.Ternary<FunnelRightClamp, uint, uint, uint, uint>,
        };
        d.Operands(3, InstructionClass.Integer);
    }

    private static void Extract(Decoder d)
    {
        d.Ins.Step = (d.Type.Signed, d.Type.Bits) switch
        {
            (false, 32) => &Lanes.Ternary<Extract32, uint, uint, uint, uint>,
            (true, 32) => &Lanes.Ternary<ExtractSigned32, uint, uint, uint, uint>,
            (false, _) => &Lanes.Ternary<Extract64, ulong, uint, uint, ulong>,
            _ => &Lanes.Ternary<ExtractSigned64, ulong, uint, uint, ulong>,
        };
        d.Operands(d.Type, InstructionClass.Integer, d.Type, Word, Word);
    }

    private static void Insert(Decoder d)
    {
        d.Operands(d.Type, InstructionClass.Integer, d.Type, d.Type, Word);
        d.Ins.E = d.Source(4, Word);
        d.Ins.Step = d.Type.Wide ? &Insert64 : &Insert32;
    }

    private static void Permute(Decoder d)
    {
        if (d.Parts.Length > 2) throw d.Refuse("is not supported");
        d.Operands(3, InstructionClass.Integer);
        d.Ins.Step = &Lanes.Ternary<PermuteBytes, uint, uint, uint, uint>;
    }

    private static void Count(Decoder d)
    {
        d.Operands(Word, InstructionClass.Integer, d.Type);
        d.Ins.Step = d.Type.Wide ? &Lanes.Unary<Ones64, ulong, uint> : &Lanes.Unary<Ones32, uint, uint>;
    }

    private static void LeadingZeros(Decoder d)
    {
        d.Operands(Word, InstructionClass.Integer, d.Type);
        d.Ins.Step = d.Type.Wide ? &Lanes.Unary<Zeros64, ulong, uint> : &Lanes.Unary<Zeros32, uint, uint>;
    }

    private static void Find(Decoder d)
    {
        d.Operands(Word, InstructionClass.Integer, d.Type);
        d.Ins.Signed = d.Has("shiftamt");
        d.Ins.Size = d.Type.Bits;
        d.Ins.Step = (d.Type.Signed, d.Type.Wide) switch
        {
            (false, false) => &HighestBit<uint>,
            (true, false) => &HighestBit<int>,
            (false, true) => &HighestBit<ulong>,
            _ => &HighestBit<long>,
        };
    }

    private static void Reverse(Decoder d)
    {
        d.Operands(1, InstructionClass.Integer);
        d.Ins.Step = d.Type.Wide ? &Lanes.Unary<Reverse64, ulong, ulong> : &Lanes.Unary<Reverse32, uint, uint>;
    }

    private static void Insert32(Warp w, Instruction i, uint mask)
    {
        uint* d = w.At<uint>(i.D), a = w.At<uint>(i.A), b = w.At<uint>(i.B);
        uint* c = w.At<uint>(i.C), e = w.At<uint>(i.E);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = (uint)InsertBits(a[k], b[k], c[k], e[k], 32);
        }
    }

    private static void Insert64(Warp w, Instruction i, uint mask)
    {
        ulong* d = w.At<ulong>(i.D), a = w.At<ulong>(i.A), b = w.At<ulong>(i.B);
        uint* c = w.At<uint>(i.C), e = w.At<uint>(i.E);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = InsertBits(a[k], b[k], c[k], e[k], 64);
        }
    }

    /// <summary>b with the low bits of a in its bits from position on; position and length are bytes.</summary>
    private static ulong InsertBits(ulong a, ulong b, uint position, uint length, int bits)
    {
        var (from, count) = ((int)(position & 255), (int)(length & 255));
        if (from >= bits || count == 0) return b;
        var field = (count >= 64 ? ulong.MaxValue : (1UL << count) - 1) << from;
        return b & ~field | a << from & field;
    }

    private static void HighestBit<T>(Warp w, Instruction i, uint mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint* d = w.At<uint>(i.D);
        T* a = w.At<T>(i.A);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            var x = T.IsNegative(a[k]) ? ~a[k] : a[k];
            var left = int.CreateTruncating(T.LeadingZeroCount(x));
            d[k] = left == i.Size ? uint.MaxValue : (uint)(i.Signed ? left : i.Size - 1 - left);
        }
    }
}
