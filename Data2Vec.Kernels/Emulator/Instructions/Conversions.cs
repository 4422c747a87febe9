using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// cvt: integers among themselves here, the rest in <see cref="FloatConversions"/>. Source: PTX ISA 8.4, section 9.7.9.
/// </summary>
internal static unsafe class Conversions
{
    public static readonly (string, Action<Decoder>)[] Families = [("cvt", Decode)];

    private static void Decode(Decoder d)
    {
        if (d.Types.Length != 2) throw d.Refuse("has to have two types");
        if (d.Types[0].Kind is 's' or 'u' && d.Types[1].Kind is 's' or 'u') OfIntegers(d);
        else FloatConversions.Decode(d);
    }

    private static void OfIntegers(Decoder d)
    {
        var (to, from) = (d.Types[0], d.Types[1]);
        var (source, wideSource) = d.Loose(d.Operand(1), from);
        var (target, wideTarget) = d.Loose(d.Operand(0), to);
        (d.Ins.A, d.Ins.D, d.Ins.Class) = (source, target, InstructionClass.Convert);
        var shortTarget = d.BitsOf(d.Operand(0).Name) == 16;
        var saturates = d.Has("sat");
        d.Ins.Step = (from.Signed, from.Bits) switch
        {
            (true, 8) => To<sbyte>(to, wideSource, wideTarget, shortTarget, saturates),
            (true, 16) => To<short>(to, wideSource, wideTarget, shortTarget, saturates),
            (true, 32) => To<int>(to, wideSource, wideTarget, shortTarget, saturates),
            (true, _) => To<long>(to, wideSource, wideTarget, shortTarget, saturates),
            (false, 8) => To<byte>(to, wideSource, wideTarget, shortTarget, saturates),
            (false, 16) => To<ushort>(to, wideSource, wideTarget, shortTarget, saturates),
            (false, 32) => To<uint>(to, wideSource, wideTarget, shortTarget, saturates),
            _ => To<ulong>(to, wideSource, wideTarget, shortTarget, saturates),
        };
    }

    private static delegate*<Warp, Instruction, uint, void> To<TFrom>(
        PtxType to, bool wideSource, bool wideTarget, bool shortTarget, bool saturates)
        where TFrom : unmanaged, IBinaryInteger<TFrom> => (to.Signed, to.Bits) switch
        {
            (true, 8) => Pick<TFrom, sbyte>(wideSource, wideTarget, shortTarget, saturates),
            (true, 16) => Pick<TFrom, short>(wideSource, wideTarget, shortTarget, saturates),
            (true, 32) => Pick<TFrom, int>(wideSource, wideTarget, shortTarget, saturates),
            (true, _) => Pick<TFrom, long>(wideSource, wideTarget, shortTarget, saturates),
            (false, 8) => Pick<TFrom, byte>(wideSource, wideTarget, shortTarget, saturates),
            (false, 16) => Pick<TFrom, ushort>(wideSource, wideTarget, shortTarget, saturates),
            (false, 32) => Pick<TFrom, uint>(wideSource, wideTarget, shortTarget, saturates),
            _ => Pick<TFrom, ulong>(wideSource, wideTarget, shortTarget, saturates),
        };

    private static delegate*<Warp, Instruction, uint, void> Pick<TFrom, TTo>(
        bool wideSource, bool wideTarget, bool shortTarget, bool saturates)
        where TFrom : unmanaged, IBinaryInteger<TFrom> where TTo : unmanaged, IBinaryInteger<TTo> =>
        (wideSource, wideTarget, shortTarget, saturates) switch
        {
            (false, false, false, false) => &Lanes.Unary<Change<TFrom, TTo, uint, uint>, uint, uint>,
            (false, true, _, false) => &Lanes.Unary<Change<TFrom, TTo, uint, ulong>, uint, ulong>,
            (true, false, false, false) => &Lanes.Unary<Change<TFrom, TTo, ulong, uint>, ulong, uint>,
            (true, true, _, false) => &Lanes.Unary<Change<TFrom, TTo, ulong, ulong>, ulong, ulong>,
            (false, false, true, false) =>
                &Lanes.Unary<ChangeToShort<Change<TFrom, TTo, uint, uint>, uint>, uint, uint>,
            (true, false, true, false) =>
                &Lanes.Unary<ChangeToShort<Change<TFrom, TTo, ulong, uint>, ulong>, ulong, uint>,
            (false, false, false, true) => &Lanes.Unary<Clamp<TFrom, TTo, uint, uint>, uint, uint>,
            (true, false, false, true) => &Lanes.Unary<Clamp<TFrom, TTo, ulong, uint>, ulong, uint>,
            (false, false, true, true) => &Lanes.Unary<ChangeToShort<Clamp<TFrom, TTo, uint, uint>, uint>, uint, uint>,
            (true, false, true, true) =>
                &Lanes.Unary<ChangeToShort<Clamp<TFrom, TTo, ulong, uint>, ulong>, ulong, uint>,
            (false, true, _, true) => &Lanes.Unary<Clamp<TFrom, TTo, uint, ulong>, uint, ulong>,
            (true, true, _, true) => &Lanes.Unary<Clamp<TFrom, TTo, ulong, ulong>, ulong, ulong>,
        };

    /// <summary>The low bits, extended to the register by the target's kind.</summary>
    private struct Change<TFrom, TTo, TSource, TTarget> : IUnary<TSource, TTarget>
        where TFrom : IBinaryInteger<TFrom> where TTo : IBinaryInteger<TTo>
        where TSource : IBinaryInteger<TSource> where TTarget : IBinaryInteger<TTarget>
    {
        public static TTarget Do(TSource a) =>
            TTarget.CreateTruncating(TTo.CreateTruncating(TFrom.CreateTruncating(a)));
    }

    /// <summary>The nearest number that the target has (.sat).</summary>
    private struct Clamp<TFrom, TTo, TSource, TTarget> : IUnary<TSource, TTarget>
        where TFrom : IBinaryInteger<TFrom> where TTo : IBinaryInteger<TTo>
        where TSource : IBinaryInteger<TSource> where TTarget : IBinaryInteger<TTarget>
    {
        public static TTarget Do(TSource a) =>
            TTarget.CreateTruncating(TTo.CreateSaturating(TFrom.CreateTruncating(a)));
    }

    /// <summary>A register of 16 bits has zeros above.</summary>
    private struct ChangeToShort<TOp, TSource> : IUnary<TSource, uint>
        where TOp : struct, IUnary<TSource, uint>
    {
        public static uint Do(TSource a) => (ushort)TOp.Do(a);
    }
}
