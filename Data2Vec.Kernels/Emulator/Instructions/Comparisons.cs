using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>setp, set, selp, slct. Source: PTX ISA 8.4, section 9.7.6.</summary>
internal static unsafe class Comparisons
{
    public static readonly (string, Action<Decoder>)[] Families =
        [("setp", SetPredicate), ("set", Set), ("selp", Select), ("slct", SelectBySign)];

    /// <summary>
    /// p|q = a cmp b, perhaps combined with a third predicate: D and E are p and q, C the third with its flip in Count,
    /// Value says how it is combined (0 not at all, 1 and, 2 or, 3 xor).
    /// </summary>
    private static void SetPredicate(Decoder d)
    {
        var target = d.Operand(0);
        d.Ins.D = d.PredicateOf(target.Name);
        d.Ins.E = target.Second is null ? -1 : d.PredicateOf(target.Second);
        d.Ins.A = d.Source(1, d.Type);
        d.Ins.B = d.Source(2, d.Type);
        d.Ins.Class = InstructionClass.Compare;
        d.Ins.Value = d.Has("and") ? 1 : d.Has("or") ? 2 : d.Has("xor") ? 3 : 0;
        if (d.Ins.Value != 0)
        {
            (d.Ins.C, var flip) = d.Predicate(3);
            d.Ins.Count = (int)flip;
        }
        d.Ins.Step = Compare(d);
    }

    /// <summary>The comparison of an opcode, for its type.</summary>
    private static delegate*<Warp, Instruction, uint, void> Compare(Decoder d)
    {
        var type = d.Type;
        if (type.Packed || type is { Bits: 16, Kind: 'f' or 'h' } || d.Has("ftz") && type.Bits != 32)
            throw d.Refuse("is not supported");
        if (type.Kind == 'f')
        {
            return type.Bits == 64 ? OfFloat<double, PlainSide>(d)
                : d.Has("ftz") ? OfFloat<float, FlushedSide>(d) : OfFloat<float, PlainSide>(d);
        }
        return (type.Signed, type.Bits) switch
        {
            (true, 16) => OfInteger<short>(d),
            (true, 32) => OfInteger<int>(d),
            (true, 64) => OfInteger<long>(d),
            (false, 64) => OfInteger<ulong>(d),
            (false, _) => OfInteger<uint>(d),
            _ => throw d.Refuse("is not supported"),
        };
    }

    private static delegate*<Warp, Instruction, uint, void> OfInteger<T>(Decoder d)
        where T : unmanaged, IBinaryInteger<T> => d.Parts[1] switch
        {
            "eq" => &Run<Integers<Equal, T>, T>,
            "ne" => &Run<Integers<Unequal, T>, T>,
            "lt" or "lo" => &Run<Integers<Less, T>, T>,
            "le" or "ls" => &Run<Integers<LessOrEqual, T>, T>,
            "gt" or "hi" => &Run<Integers<More, T>, T>,
            "ge" or "hs" => &Run<Integers<MoreOrEqual, T>, T>,
            _ => throw d.Refuse("is not supported"),
        };

    private static delegate*<Warp, Instruction, uint, void> OfFloat<T, TSide>(Decoder d)
        where T : unmanaged, IFloatingPointIeee754<T> where TSide : struct, ISide => d.Parts[1] switch
        {
            "eq" => &Run<Ordered<Equal, T, TSide>, T>,
            "ne" => &Run<Ordered<Unequal, T, TSide>, T>,
            "lt" => &Run<Ordered<Less, T, TSide>, T>,
            "le" => &Run<Ordered<LessOrEqual, T, TSide>, T>,
            "gt" => &Run<Ordered<More, T, TSide>, T>,
            "ge" => &Run<Ordered<MoreOrEqual, T, TSide>, T>,
            "equ" => &Run<Unordered<Equal, T, TSide>, T>,
            "neu" => &Run<Unordered<Unequal, T, TSide>, T>,
            "ltu" => &Run<Unordered<Less, T, TSide>, T>,
            "leu" => &Run<Unordered<LessOrEqual, T, TSide>, T>,
            "gtu" => &Run<Unordered<More, T, TSide>, T>,
            "geu" => &Run<Unordered<MoreOrEqual, T, TSide>, T>,
            "num" => &Run<Ordered<Always, T, TSide>, T>,
            "nan" => &Run<Unordered<Never, T, TSide>, T>,
            _ => throw d.Refuse("is not supported"),
        };

    private static void Run<TOp, T>(Warp w, Instruction i, uint mask)
        where TOp : struct, ICompare<T> where T : unmanaged
    {
        var holds = typeof(T) == typeof(short) ? Lanes.Holds<Shorts<TOp, T>, uint>(w, i, mask)
            : Lanes.Holds<TOp, T>(w, i, mask);
        var third = i.Value == 0 ? 0 : w.Predicate(i.C) ^ (uint)i.Count;
        w.SetPredicate(i.D, mask, Combine(i.Value, holds, third));
        if (i.E >= 0) w.SetPredicate(i.E, mask, Combine(i.Value, ~holds, third));
    }

    private static uint Combine(long how, uint holds, uint third) => how switch
    {
        0 => holds,
        1 => holds & third,
        2 => holds | third,
        _ => holds ^ third,
    };

    /// <summary>d = a cmp b as a number: all ones or zero, or 1.0 and 0.0.</summary>
    private static void Set(Decoder d)
    {
        if (d.Types.Length != 2 || d.Has("and") || d.Has("or") || d.Has("xor")) throw d.Refuse("is not supported");
        var predicate = d.NewPredicate();
        d.Ins.D = predicate;
        d.Ins.E = -1;
        d.Ins.A = d.Source(1, d.Type);
        d.Ins.B = d.Source(2, d.Type);
        d.Ins.Class = InstructionClass.Compare;
        d.Ins.Next = (nint)Compare(d);
        d.Ins.C = d.Destination(0, d.Types[0]);
        d.Ins.Size = d.Types[0].Kind == 'f' ? 0x3f80_0000 : -1;
        d.Ins.Step = &SetRegister;
    }

    private static void SetRegister(Warp w, Instruction i, uint mask)
    {
        ((delegate*<Warp, Instruction, uint, void>)i.Next)(w, i, mask);
        var holds = w.Predicate(i.D);
        var d = (int*)(w.Registers + i.C);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = (holds >> k & 1) != 0 ? i.Size : 0;
        }
    }

    /// <summary>d = p ? a : b.</summary>
    private static void Select(Decoder d)
    {
        d.Operands(2, InstructionClass.Compare);
        (d.Ins.C, var flip) = d.Predicate(3);
        d.Ins.Value = flip;
        d.Ins.Step = d.Type.Wide ? &Choose<ulong> : &Choose<uint>;
    }

    private static void Choose<T>(Warp w, Instruction i, uint mask)
        where T : unmanaged
    {
        T* d = w.At<T>(i.D), a = w.At<T>(i.A), b = w.At<T>(i.B);
        var p = w.Predicate(i.C) ^ (uint)i.Value;
        if (mask == uint.MaxValue)
        {
            for (var k = 0; k < Lanes.Count; k++) d[k] = (p >> k & 1) != 0 ? a[k] : b[k];
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = (p >> k & 1) != 0 ? a[k] : b[k];
        }
    }

    /// <summary>d = c >= 0 ? a : b.</summary>
    private static void SelectBySign(Decoder d)
    {
        d.Operands(d.Types[0], InstructionClass.Compare, d.Types[0], d.Types[0], d.Types[1]);
        d.Ins.Step = (d.Types[0].Wide, d.Types[1].Kind) switch
        {
            (false, 's') => &Lanes.Ternary<BySign<uint, int>, uint, uint, int, uint>,
            (true, 's') => &Lanes.Ternary<BySign<ulong, int>, ulong, ulong, int, ulong>,
            (false, 'f') => &Lanes.Ternary<BySign<uint, float>, uint, uint, float, uint>,
            _ => &Lanes.Ternary<BySign<ulong, float>, ulong, ulong, float, ulong>,
        };
    }

    private struct BySign<T, TSign> : ITernary<T, T, TSign, T>
        where TSign : INumber<TSign>
    {
        public static T Do(T a, T b, TSign c) => c >= TSign.Zero ? a : b;
    }
}
