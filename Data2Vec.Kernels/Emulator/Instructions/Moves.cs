using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>mov (also of vectors of registers), cvta, isspacep. Source: PTX ISA 8.4, section 9.7.9.</summary>
internal static unsafe class Moves
{
    public static readonly (string, Action<Decoder>)[] Families =
        [("mov", Move), ("cvta", ConvertAddress), ("isspacep", IsInSpace), ("nop", Nothing), ("pmevent", Nothing)];

    private static void Nothing(Decoder d) => d.Ins.Step = &DoNothing;

    private static void DoNothing(Warp w, Instruction i, uint mask)
    {
    }

    private static void Move(Decoder d)
    {
        d.Ins.Class = InstructionClass.Move;
        if (d.Type.Kind == 'p')
        {
            d.Ins.D = d.PredicateOf(d.Operand(0).Name);
            (d.Ins.A, var flip) = d.Predicate(1);
            d.Ins.Value = flip;
            d.Ins.Step = &CopyPredicate;
        }
        else if (d.Operand(1).Kind == PtxOperandKind.Vector) Pack(d);
        else if (d.Operand(0).Kind == PtxOperandKind.Vector) Unpack(d);
        else if (d.Operand(1).Name is "%clock" or "%clock64" or "%clock_hi" or "%globaltimer" or "%globaltimer_lo")
        {
            d.Ins.D = d.Destination(0, d.Type);
            d.Ins.Step = d.Type.Wide ? &Clock<ulong> : &Clock<uint>;
        }
        else
        {
            d.Operands(1, InstructionClass.Move);
            d.Ins.Step = d.Type.Wide ? &Copy64 : &Copy32;
        }
    }

    private static void CopyPredicate(Warp w, Instruction i, uint mask) =>
        w.SetPredicate(i.D, mask, w.Predicate(i.A) ^ (uint)i.Value);

    private static void Copy32(Warp w, Instruction i, uint mask)
    {
        uint* d = w.At<uint>(i.D), a = w.At<uint>(i.A);
        if (mask == uint.MaxValue)
        {
            Unsafe.CopyBlock(d, a, 4 * Lanes.Count);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = a[k];
        }
    }

    private static void Copy64(Warp w, Instruction i, uint mask)
    {
        ulong* d = w.At<ulong>(i.D), a = w.At<ulong>(i.A);
        if (mask == uint.MaxValue)
        {
            Unsafe.CopyBlock(d, a, 8 * Lanes.Count);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = a[k];
        }
    }

    /// <summary>Instructions that the launch has run, as a clock: it only has to grow.</summary>
    private static void Clock<T>(Warp w, Instruction i, uint mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        var d = (T*)(w.Registers + i.D);
        var now = T.CreateTruncating(Stopwatch.GetTimestamp());
        for (; mask != 0; mask &= mask - 1) d[BitOperations.TrailingZeroCount(mask)] = now;
    }

    private static PtxType Part(Decoder d, int parts) => new('b', d.Type.Bits / parts);

    /// <summary>d = {low, ..., high}.</summary>
    private static void Pack(Decoder d)
    {
        var parts = d.Operand(1).Parts;
        var part = Part(d, parts.Count);
        d.Ins.D = d.Destination(0, d.Type);
        d.Ins.More = [.. parts.Select(p => d.Source(p, part))];
        d.Ins.Size = part.Bits;
        d.Ins.WideD = d.Type.Wide;
        d.Ins.Step = &JoinParts;
    }

    private static void JoinParts(Warp w, Instruction i, uint mask)
    {
        var d = w.Registers + i.D;
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            ulong value = 0;
            for (var p = 0; p < i.More.Length; p++)
                value |= (ulong)((uint*)(w.Registers + i.More[p]))[k] << (p * i.Size);
            if (i.WideD) ((ulong*)d)[k] = value;
            else ((uint*)d)[k] = (uint)value;
        }
    }

    /// <summary>{low, ..., high} = a.</summary>
    private static void Unpack(Decoder d)
    {
        var parts = d.Operand(0).Parts;
        var part = Part(d, parts.Count);
        d.Ins.A = d.Source(1, d.Type);
        d.Ins.More = [.. parts.Select(p => d.Destination(p, part))];
        d.Ins.Size = part.Bits;
        d.Ins.WideA = d.Type.Wide;
        d.Ins.Step = &SplitParts;
    }

    private static void SplitParts(Warp w, Instruction i, uint mask)
    {
        var a = w.Registers + i.A;
        var keep = uint.MaxValue >> (32 - i.Size);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            var value = i.WideA ? ((ulong*)a)[k] : ((uint*)a)[k];
            for (var p = 0; p < i.More.Length; p++)
                ((uint*)(w.Registers + i.More[p]))[k] = (uint)(value >> (p * i.Size)) & keep;
        }
    }

    /// <summary>
    /// Generic addresses of a space begin at its window; those of global and constant memory are the same.
    /// </summary>
    private static void ConvertAddress(Decoder d)
    {
        if (!d.Type.Wide) throw d.Refuse("is supported for 64-bit addresses only, and this one is refused");
        d.Operands(1, InstructionClass.Move);
        var toSpace = d.Parts[1] == "to";
        var window = Windows.Of(d.Parts[toSpace ? 2 : 1]);
        d.Ins.Value = toSpace ? -(long)window : (long)window;
        d.Ins.Step = window == 0 ? &Copy64 : &AddConstant;
    }

    private static void AddConstant(Warp w, Instruction i, uint mask)
    {
        long* d = w.At<long>(i.D), a = w.At<long>(i.A);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = a[k] + i.Value;
        }
    }

    private static void IsInSpace(Decoder d)
    {
        d.Ins.D = d.PredicateOf(d.Operand(0).Name);
        d.Ins.A = d.Source(1, new PtxType('u', 64));
        d.Ins.Value = (long)Windows.Of(d.Parts[1]);
        d.Ins.Class = InstructionClass.Compare;
        d.Ins.Step = &TestSpace;
    }

    private static void TestSpace(Warp w, Instruction i, uint mask)
    {
        var a = (ulong*)(w.Registers + i.A);
        var holds = 0u;
        for (var k = 0; k < Lanes.Count; k++)
        {
            var window = Windows.WindowOf(a[k]);
            if (window == (ulong)i.Value) holds |= 1u << k;
        }
        w.SetPredicate(i.D, mask, holds);
    }
}
