namespace Data2Vec.Kernels.Emulator;

/// <summary>bar, barrier, bar.warp.sync, membar, fence. Source: PTX ISA 8.4, section 9.7.13.</summary>
internal static unsafe class Barriers
{
    public static readonly (string, Action<Decoder>)[] Families =
        [("bar", Barrier), ("barrier", Barrier), ("membar", Fence), ("fence", Fence)];

    /// <summary>
    /// A is the number of the barrier, B the threads that it waits for (Value 0: all of the block); Extra says what it
    /// does.
    /// </summary>
    private static void Barrier(Decoder d)
    {
        d.Ins.Class = InstructionClass.Barrier;
        if (d.Has("warp"))
        {
            d.Ins.Flow = Flow.WarpSync;
            d.Ins.Members = d.Source(0, new PtxType('b', 32));
            d.Ins.Step = &Nothing;
            return;
        }
        if (d.Has("cluster")) throw d.Refuse("is not supported");
        var word = new PtxType('u', 32);
        d.Ins.Flow = Flow.Barrier;
        var kind = d.Has("arrive") ? BarrierKind.Arrive : !d.Has("red") ? BarrierKind.Sync
            : d.Has("popc") ? BarrierKind.Count : d.Has("and") ? BarrierKind.All : BarrierKind.Any;
        var operand = 0;
        if (kind is BarrierKind.Count) d.Ins.D = d.Destination(operand++, word);
        else if (kind is BarrierKind.All or BarrierKind.Any) d.Ins.D = d.PredicateOf(d.Operand(operand++).Name);
        d.Ins.A = d.Source(operand++, word);
        var reduces = kind is BarrierKind.Count or BarrierKind.All or BarrierKind.Any;
        if (d.OperandCount > operand + (reduces ? 1 : 0))
        {
            d.Ins.B = d.Source(operand++, word);
            d.Ins.Value = 1;
        }
        if (reduces)
        {
            (d.Ins.C, var flip) = d.Predicate(operand);
            d.Ins.E = (int)flip;
        }
        d.Ins.Count = (int)kind;
        // bar is barrier.aligned.
        d.Ins.Signed = d.Parts[0] == "bar" || d.Has("aligned");
    }

    /// <summary>
    /// Blocks run one after the other or on threads of the host, which the caches of the host keep coherent.
    /// </summary>
    private static void Fence(Decoder d)
    {
        d.Ins.Class = InstructionClass.Barrier;
        d.Ins.Step = &FullFence;
    }

    private static void FullFence(Warp w, Instruction i, uint mask) => Interlocked.MemoryBarrier();

    private static void Nothing(Warp w, Instruction i, uint mask)
    {
    }
}

/// <summary>What a barrier does beyond waiting.</summary>
internal enum BarrierKind
{
    Sync,

    /// <summary>Is counted, and does not wait.</summary>
    Arrive,

    /// <summary>How many threads have a predicate that holds.</summary>
    Count,

    /// <summary>Whether it holds in all threads.</summary>
    All,

    /// <summary>Whether it holds in one.</summary>
    Any,
}
