using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>Picks the loop over lanes for an integer operation by the type of the instruction.</summary>
internal static unsafe class IntegerSteps
{
    /// <summary>d = op(a).</summary>
    public static void One<TOp>(Decoder d, InstructionClass counted = InstructionClass.Integer)
        where TOp : struct, IInteger1
    {
        d.Ins.Step = (d.Type.Signed, d.Type.Bits) switch
        {
            (true, 16) => &Lanes.Unary<Short1<TOp, short>, uint, uint>,
            (false, 16) => &Lanes.Unary<Short1<TOp, ushort>, uint, uint>,
            (true, 32) => &Lanes.Unary<Full1<TOp, int>, int, int>,
            (false, 32) => &Lanes.Unary<Full1<TOp, uint>, uint, uint>,
            (true, 64) => &Lanes.Unary<Full1<TOp, long>, long, long>,
            (false, 64) => &Lanes.Unary<Full1<TOp, ulong>, ulong, ulong>,
            _ => throw d.Refuse("is not supported"),
        };
        d.Operands(1, counted);
    }

    /// <summary>d = op(a, b).</summary>
    public static void Two<TOp>(Decoder d, InstructionClass counted = InstructionClass.Integer)
        where TOp : struct, IInteger2
    {
        d.Ins.Step = (d.Type.Signed, d.Type.Bits) switch
        {
            (true, 16) => &Lanes.Binary<Short2<TOp, short>, uint, uint, uint>,
            (false, 16) => &Lanes.Binary<Short2<TOp, ushort>, uint, uint, uint>,
            (true, 32) => &Lanes.Binary<Full2<TOp, int>, int, int, int>,
            (false, 32) => &Lanes.Binary<Full2<TOp, uint>, uint, uint, uint>,
            (true, 64) => &Lanes.Binary<Full2<TOp, long>, long, long, long>,
            (false, 64) => &Lanes.Binary<Full2<TOp, ulong>, ulong, ulong, ulong>,
            _ => throw d.Refuse("is not supported"),
        };
        d.Operands(2, counted);
    }

    /// <summary>d = op(a, b, c).</summary>
    public static void Three<TOp>(Decoder d)
        where TOp : struct, IInteger3
    {
        d.Ins.Step = (d.Type.Signed, d.Type.Bits) switch
        {
            (true, 16) => &Lanes.Ternary<Short3<TOp, short>, uint, uint, uint, uint>,
            (false, 16) => &Lanes.Ternary<Short3<TOp, ushort>, uint, uint, uint, uint>,
            (true, 32) => &Lanes.Ternary<Full3<TOp, int>, int, int, int, int>,
            (false, 32) => &Lanes.Ternary<Full3<TOp, uint>, uint, uint, uint, uint>,
            (true, 64) => &Lanes.Ternary<Full3<TOp, long>, long, long, long, long>,
            (false, 64) => &Lanes.Ternary<Full3<TOp, ulong>, ulong, ulong, ulong, ulong>,
            _ => throw d.Refuse("is not supported"),
        };
        d.Operands(3, InstructionClass.Integer);
    }

    /// <summary>d = a * b, of twice the width.</summary>
    public static void Wide2(Decoder d)
    {
        d.Ins.Step = (d.Type.Signed, d.Type.Bits) switch
        {
            (true, 16) => &Lanes.Binary<WideProduct<short, uint, int>, uint, uint, int>,
            (false, 16) => &Lanes.Binary<WideProduct<ushort, uint, uint>, uint, uint, uint>,
            (true, 32) => &Lanes.Binary<WideProduct<int, int, long>, int, int, long>,
            (false, 32) => &Lanes.Binary<WideProduct<uint, uint, ulong>, uint, uint, ulong>,
            _ => throw d.Refuse("is not supported"),
        };
        var wide = d.Type with { Bits = 2 * d.Type.Bits };
        d.Operands(wide, InstructionClass.Integer, d.Type, d.Type);
    }

    /// <summary>d = a * b + c; d and c are of twice the width.</summary>
    public static void Wide3(Decoder d)
    {
        d.Ins.Step = (d.Type.Signed, d.Type.Bits) switch
        {
            (true, 16) => &Lanes.Ternary<WideSum<short, uint, int>, uint, uint, int, int>,
            (false, 16) => &Lanes.Ternary<WideSum<ushort, uint, uint>, uint, uint, uint, uint>,
            (true, 32) => &Lanes.Ternary<WideSum<int, int, long>, int, int, long, long>,
            (false, 32) => &Lanes.Ternary<WideSum<uint, uint, ulong>, uint, uint, ulong, ulong>,
            _ => throw d.Refuse("is not supported"),
        };
        var wide = d.Type with { Bits = 2 * d.Type.Bits };
        d.Operands(wide, InstructionClass.Integer, d.Type, d.Type, wide);
    }

    /// <summary>The whole register.</summary>
    private struct Full1<TOp, T> : IUnary<T, T>
        where TOp : struct, IInteger1 where T : struct, IBinaryInteger<T>
    {
        public static T Do(T a) => TOp.Do(a);
    }

    private struct Full2<TOp, T> : IBinary<T, T, T>
        where TOp : struct, IInteger2 where T : struct, IBinaryInteger<T>
    {
        public static T Do(T a, T b) => TOp.Do(a, b);
    }

    private struct Full3<TOp, T> : ITernary<T, T, T, T>
        where TOp : struct, IInteger3 where T : struct, IBinaryInteger<T>
    {
        public static T Do(T a, T b, T c) => TOp.Do(a, b, c);
    }

    /// <summary>16-bit registers lie in 32 bits with zeros above.</summary>
    private struct Short1<TOp, T> : IUnary<uint, uint>
        where TOp : struct, IInteger1 where T : struct, IBinaryInteger<T>
    {
        public static uint Do(uint a) => ushort.CreateTruncating(TOp.Do(T.CreateTruncating(a)));
    }

    private struct Short2<TOp, T> : IBinary<uint, uint, uint>
        where TOp : struct, IInteger2 where T : struct, IBinaryInteger<T>
    {
        public static uint Do(uint a, uint b) =>
            ushort.CreateTruncating(TOp.Do(T.CreateTruncating(a), T.CreateTruncating(b)));
    }

    private struct Short3<TOp, T> : ITernary<uint, uint, uint, uint>
        where TOp : struct, IInteger3 where T : struct, IBinaryInteger<T>
    {
        public static uint Do(uint a, uint b, uint c) =>
            ushort.CreateTruncating(TOp.Do(T.CreateTruncating(a), T.CreateTruncating(b), T.CreateTruncating(c)));
    }

    private struct WideProduct<T, TSlot, TWide> : IBinary<TSlot, TSlot, TWide>
        where T : struct, IBinaryInteger<T> where TSlot : struct, IBinaryInteger<TSlot>
        where TWide : struct, IBinaryInteger<TWide>
    {
        public static TWide Do(TSlot a, TSlot b) => unchecked(
            TWide.CreateTruncating(T.CreateTruncating(a)) * TWide.CreateTruncating(T.CreateTruncating(b)));
    }

    private struct WideSum<T, TSlot, TWide> : ITernary<TSlot, TSlot, TWide, TWide>
        where T : struct, IBinaryInteger<T> where TSlot : struct, IBinaryInteger<TSlot>
        where TWide : struct, IBinaryInteger<TWide>
    {
        public static TWide Do(TSlot a, TSlot b, TWide c) => unchecked(WideProduct<T, TSlot, TWide>.Do(a, b) + c);
    }
}
