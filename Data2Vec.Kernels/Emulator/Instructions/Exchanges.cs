using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>shfl, vote, match, redux, activemask, elect. Source: PTX ISA 8.4, sections 9.7.8 and 9.7.13.</summary>
internal static unsafe class Exchanges
{
    private static readonly PtxType Word = new('b', 32);

    public static readonly (string, Action<Decoder>)[] Families =
        [("shfl", Shuffle), ("vote", Vote), ("match", Match), ("redux", Reduce), ("activemask", ActiveMask)];

    private static void Shuffle(Decoder d)
    {
        if (!d.Has("sync")) throw d.Refuse("needs .sync and is not supported");
        d.Ins.D = d.Destination(0, Word);
        d.Ins.E = d.Operand(0).Second is { } p ? d.PredicateOf(p) : -1;
        d.Ins.A = d.Source(1, Word);
        d.Ins.B = d.Source(2, Word);
        d.Ins.C = d.Source(3, Word);
        Synchronise(d, 4);
        d.Ins.Step = d.Has("up") ? &RunShuffle<Up>
            : d.Has("down") ? &RunShuffle<Down>
            : d.Has("bfly") ? &RunShuffle<Butterfly>
            : d.Has("idx") ? &RunShuffle<Indexed> : throw d.Refuse("is not supported");
    }

    private static void Synchronise(Decoder d, int members)
    {
        d.Ins.Flow = Flow.WarpSync;
        d.Ins.Class = InstructionClass.Exchange;
        d.Ins.Members = d.Source(members, Word);
    }

    private interface IDirection
    {
        /// <summary>The lane to read, and whether it lies in the segment.</summary>
        static abstract (int Lane, bool Inside) Source(int lane, int b, int most, int least);
    }

    private struct Up : IDirection
    {
        public static (int Lane, bool Inside) Source(int lane, int b, int most, int least) =>
            (lane - b, lane - b >= most);
    }

    private struct Down : IDirection
    {
        public static (int Lane, bool Inside) Source(int lane, int b, int most, int least) =>
            (lane + b, lane + b <= most);
    }

    private struct Butterfly : IDirection
    {
        public static (int Lane, bool Inside) Source(int lane, int b, int most, int least) =>
            (lane ^ b, (lane ^ b) <= most);
    }

    private struct Indexed : IDirection
    {
        public static (int Lane, bool Inside) Source(int lane, int b, int most, int least) =>
            (least | b, (least | b) <= most);
    }

    private static void RunShuffle<TDirection>(Warp w, Instruction i, uint mask)
        where TDirection : struct, IDirection
    {
        uint* d = w.At<uint>(i.D), a = w.At<uint>(i.A);
        uint* b = w.At<uint>(i.B), c = w.At<uint>(i.C);
        var held = stackalloc uint[Lanes.Count];
        for (var k = 0; k < Lanes.Count; k++) held[k] = a[k];
        uint inside = 0;
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var k = BitOperations.TrailingZeroCount(rest);
            var (clamp, segment) = ((int)(c[k] & 31), (int)(c[k] >> 8 & 31));
            var most = (k & segment) | (clamp & ~segment);
            var offset = (int)(b[k] & 31);
            if (typeof(TDirection) == typeof(Indexed)) offset &= ~segment;
            var (from, isInside) = TDirection.Source(k, offset, most, k & segment);
            if (!isInside) from = k;
            else inside |= 1u << k;
            if ((mask >> from & 1) == 0)
                throw new LaneFault(FindingKind.Uninitialised, k,
                    $"takes the value of lane {from}, which does not take part");
            d[k] = held[from];
        }
        if (i.E >= 0) w.SetPredicate(i.E, mask, inside);
    }

    private static void Vote(Decoder d)
    {
        if (!d.Has("sync")) throw d.Refuse("needs .sync and is not supported");
        var ballot = d.Has("ballot");
        d.Ins.D = ballot ? d.Destination(0, Word) : d.PredicateOf(d.Operand(0).Name);
        (d.Ins.A, var flip) = d.Predicate(1);
        d.Ins.Value = flip;
        Synchronise(d, 2);
        d.Ins.Step = ballot ? &Ballot : d.Has("all") ? &All : d.Has("any") ? &Any : &Uniform;
    }

    private static uint Holds(Warp w, Instruction i, uint mask) => (w.Predicate(i.A) ^ (uint)i.Value) & mask;

    private static void Ballot(Warp w, Instruction i, uint mask) => Spread(w, i.D, mask, Holds(w, i, mask));

    private static void All(Warp w, Instruction i, uint mask) =>
        w.SetPredicate(i.D, mask, Holds(w, i, mask) == mask ? uint.MaxValue : 0);

    private static void Any(Warp w, Instruction i, uint mask) =>
        w.SetPredicate(i.D, mask, Holds(w, i, mask) != 0 ? uint.MaxValue : 0);

    private static void Uniform(Warp w, Instruction i, uint mask) =>
        w.SetPredicate(i.D, mask, Holds(w, i, mask) is var h && (h == 0 || h == mask) ? uint.MaxValue : 0);

    private static void Spread(Warp w, int register, uint mask, uint value)
    {
        var d = (uint*)(w.Registers + register);
        for (; mask != 0; mask &= mask - 1) d[BitOperations.TrailingZeroCount(mask)] = value;
    }

    private static void Match(Decoder d)
    {
        d.Ins.D = d.Destination(0, Word);
        d.Ins.E = d.Operand(0).Second is { } p ? d.PredicateOf(p) : -1;
        d.Ins.A = d.Source(1, d.Type);
        d.Ins.WideA = d.Type.Wide;
        Synchronise(d, 2);
        d.Ins.Step = d.Has("any") ? &MatchAny : &MatchAll;
    }

    private static ulong Value(Warp w, Instruction i, int k) =>
        i.WideA ? ((ulong*)(w.Registers + i.A))[k] : ((uint*)(w.Registers + i.A))[k];

    private static uint SameAs(Warp w, Instruction i, uint mask, int lane)
    {
        uint same = 0;
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var k = BitOperations.TrailingZeroCount(rest);
            if (Value(w, i, k) == Value(w, i, lane)) same |= 1u << k;
        }
        return same;
    }

    private static void MatchAny(Warp w, Instruction i, uint mask)
    {
        var result = stackalloc uint[Lanes.Count];
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var k = BitOperations.TrailingZeroCount(rest);
            result[k] = SameAs(w, i, mask, k);
        }
        var d = (uint*)(w.Registers + i.D);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = result[k];
        }
    }

    private static void MatchAll(Warp w, Instruction i, uint mask)
    {
        var same = SameAs(w, i, mask, BitOperations.TrailingZeroCount(mask)) == mask;
        Spread(w, i.D, mask, same ? mask : 0);
        if (i.E >= 0) w.SetPredicate(i.E, mask, same ? uint.MaxValue : 0);
    }

    private static void Reduce(Decoder d)
    {
        d.Operands(1, InstructionClass.Exchange);
        Synchronise(d, 2);
        d.Ins.Signed = d.Type.Signed;
        d.Ins.Value = Array.IndexOf(["add", "min", "max", "and", "or", "xor"], d.Parts[2]);
        if (d.Ins.Value < 0) throw d.Refuse("is not supported");
        d.Ins.Step = &RunReduce;
    }

    private static void RunReduce(Warp w, Instruction i, uint mask)
    {
        var a = (uint*)(w.Registers + i.A);
        var result = a[BitOperations.TrailingZeroCount(mask)];
        for (var rest = mask & (mask - 1); rest != 0; rest &= rest - 1)
        {
            var x = a[BitOperations.TrailingZeroCount(rest)];
            result = i.Value switch
            {
                0 => result + x,
                1 => i.Signed ? (uint)Math.Min((int)result, (int)x) : Math.Min(result, x),
                2 => i.Signed ? (uint)Math.Max((int)result, (int)x) : Math.Max(result, x),
                3 => result & x,
                4 => result | x,
                _ => result ^ x,
            };
        }
        Spread(w, i.D, mask, result);
    }

    private static void ActiveMask(Decoder d)
    {
        d.Ins.D = d.Destination(0, Word);
        d.Ins.Class = InstructionClass.Exchange;
        d.Ins.Step = &RunActiveMask;
    }

    private static void RunActiveMask(Warp w, Instruction i, uint mask) => Spread(w, i.D, mask, mask);
}
