using System.Numerics;
using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>The loop that runs instructions.</summary>
internal sealed unsafe partial class Warp
{
    /// <summary>
    /// Instructions that a fragment may run before another gets its turn: who spins on a value must not keep out who
    /// sets it.
    /// </summary>
    private const int Turn = 1 << 14;

    /// <summary>
    /// Turns after which lanes that arrived no longer wait for those that did not: they may hold what those spin for.
    /// </summary>
    private const int Patience = 8;

    /// <summary>Runs until all threads have ended or wait for other warps, or for a turn.</summary>
    /// <returns>False if nothing could be done.</returns>
    /// <exception cref="EmulatorException">A finding.</exception>
    public bool Run()
    {
        var progress = false;
        var first = false;
        var spent = 0;
        try
        {
            for (var turns = 0; turns < Patience;)
            {
                var index = Ready(first);
                if (index < 0)
                {
                    if (!Waits(FragmentState.AtExchange)) return progress;
                    if (FinishExchanges() || LetArrivedGoOn()) continue;
                    if (Waits(FragmentState.AtBarrier)) return progress;
                    throw Stuck();
                }
                progress = true;
                var left = RunFragment(index);
                Block.Spend(Turn - left);
                spent += Turn - left;
                if (spent < Turn) continue;
                // Its turn is over: the next one is another's.
                (spent, first) = (0, !first);
                turns++;
            }
            loosened |= LetArrivedGoOn();
            return true;
        }
        catch (LaneFault fault)
        {
            throw Locate(fault, Pc);
        }
    }

    private int Ready(bool first)
    {
        for (var n = 0; n < fragmentCount; n++)
        {
            var f = first ? n : fragmentCount - 1 - n;
            if (fragments[f].State == FragmentState.Ready) return f;
        }
        return -1;
    }

    private bool Waits(FragmentState state)
    {
        for (var f = 0; f < fragmentCount; f++)
            if (fragments[f].State == state) return true;
        return false;
    }

    private EmulatorException Stuck()
    {
        for (var f = 0; f < fragmentCount; f++)
        {
            if (fragments[f].State != FragmentState.AtExchange) continue;
            var missing = fragments[f].Members & Alive & ~fragments[f].Mask;
            return Locate(new LaneFault(FindingKind.Deadlock, First(fragments[f].Mask),
                $"waits for lanes 0x{missing:x8} of its warp, which never come here"), fragments[f].Pc);
        }
        throw new InvalidOperationException("A warp is stuck and none of its lanes waits.");
    }

    /// <summary>Runs one fragment until it ends, waits, meets others or parts.</summary>
    /// <returns>Instructions that are left of its turn.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int RunFragment(int index)
    {
        var pc = fragments[index].Pc;
        var active = fragments[index].Mask;
        var meet = tokens[fragments[index].Token].Pc;
        var (warpCounts, laneCounts) = (Block.Counters.Warp, Block.Counters.Lane);
        for (var left = Turn; left > 0; left--)
        {
            if (pc == meet)
            {
                var token = fragments[index].Token;
                tokens[token].Arrived |= active;
                RemoveFragment(index);
                Leave(token);
                return left;
            }
            var i = code[pc];
            Pc = pc;
            var mask = i.Guard < 0 ? active : active & (Predicate(i.Guard) ^ i.GuardFlip);
            warpCounts[(int)i.Class]++;
            laneCounts[(int)i.Class] += BitOperations.PopCount(mask);
            if (i.Flow == Flow.Next)
            {
                if (mask != 0) i.Step(this, i, mask);
                pc++;
                continue;
            }
            if (mask == 0)
            {
                pc++;
                continue;
            }
            if (i.Flow == Flow.Branch)
            {
                if (mask == active)
                {
                    pc = i.Target;
                    continue;
                }
                int* targets = stackalloc int[2];
                uint* masks = stackalloc uint[2];
                (targets[0], masks[0], targets[1], masks[1]) = (pc + 1, active & ~mask, i.Target, mask);
                Part(index, i.Meet, targets, masks, 2);
                return left;
            }
            fragments[index].Pc = pc;
            if (!RunSlow(index, i, mask)) return left;
            (pc, active) = (fragments[index].Pc, fragments[index].Mask);
            meet = tokens[fragments[index].Token].Pc;
        }
        fragments[index].Pc = pc;
        return 0;
    }

    /// <summary>What is no plain instruction and no branch.</summary>
    /// <returns>True if the fragment goes on, at the program counter that it has then.</returns>
    private bool RunSlow(int index, Instruction i, uint mask)
    {
        ref var fragment = ref fragments[index];
        switch (i.Flow)
        {
            case Flow.BranchIndexed:
                return Jump(index, i, mask);
            case Flow.Exit:
                Alive &= ~mask;
                ExitPc = i.Index;
                fragment.Mask &= ~mask;
                fragment.Pc++;
                if (fragment.Mask != 0) return true;
                var token = fragment.Token;
                RemoveFragment(index);
                Leave(token);
                return false;
            case Flow.WholeWarp:
                if (mask != uint.MaxValue)
                {
                    if (WaitForOthers(index, mask)) return false;
                    throw new LaneFault(FindingKind.Barrier, First(mask),
                        $"needs all 32 lanes of the warp, and only 0x{mask:x8} run it together");
                }
                i.Step(this, i, mask);
                fragment.Pc++;
                return true;
            case Flow.WarpSync:
                return Exchange(index, i, mask);
            default:
                return Barrier(index, i, mask);
        }
    }

    private bool Jump(int index, Instruction i, uint mask)
    {
        int* targets = stackalloc int[Lanes.Count + 1];
        uint* masks = stackalloc uint[Lanes.Count + 1];
        var ways = 0;
        if (mask != fragments[index].Mask)
            (targets[ways], masks[ways++]) = (i.Index + 1, fragments[index].Mask & ~mask);
        var a = (uint*)(Registers + i.A);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = First(mask);
            if (a[k] >= i.Targets.Length)
            {
                throw new LaneFault(FindingKind.Trap, k, $"jumps to target {a[k]} of {i.Targets.Length}");
            }
            var (target, way) = (i.Targets[a[k]], 0);
            while (way < ways && targets[way] != target) way++;
            if (way == ways) (targets[ways], masks[ways++]) = (target, 0);
            masks[way] |= 1u << k;
        }
        if (ways == 1)
        {
            fragments[index].Pc = targets[0];
            return true;
        }
        Part(index, i.Meet, targets, masks, ways);
        return false;
    }

    /// <summary>Lanes of which the guard is off do not wait: they go on to the next instruction.</summary>
    private bool PartFromGuarded(int index, Instruction i, uint mask)
    {
        var rest = fragments[index].Mask & ~mask;
        if (rest == 0) return false;
        int* targets = stackalloc int[2];
        uint* masks = stackalloc uint[2];
        (targets[0], masks[0], targets[1], masks[1]) = (i.Index, mask, i.Index + 1, rest);
        Part(index, i.Meet, targets, masks, 2);
        return true;
    }

    private bool Exchange(int index, Instruction i, uint mask)
    {
        var members = ((uint*)(Registers + i.Members))[First(mask)];
        if ((mask & ~members) != 0)
        {
            throw new LaneFault(FindingKind.Barrier, First(mask & ~members),
                $"runs with the mask 0x{members:x8}, to which its own lane does not belong");
        }
        if ((members & Alive & ~mask) == 0)
        {
            Clock++;
            i.Step(this, i, mask);
            fragments[index].Pc++;
            return true;
        }
        if (PartFromGuarded(index, i, mask)) return false;
        fragments[index].State = FragmentState.AtExchange;
        fragments[index].Members = members;
        return false;
    }

    /// <summary>Lanes that went on before the others came wait for them where all are needed.</summary>
    private bool WaitForOthers(int index, uint mask)
    {
        if (!loosened || (Alive & ~mask) == 0 || mask != fragments[index].Mask) return false;
        fragments[index].State = FragmentState.AtExchange;
        fragments[index].Members = Exists;
        return true;
    }

    private bool Barrier(int index, Instruction i, uint mask)
    {
        if (i.Signed && mask != Exists)
        {
            if (WaitForOthers(index, mask)) return false;
            var missing = Exists & ~mask;
            throw new LaneFault(FindingKind.Barrier, First(mask), (missing & ~Alive) == missing
                ? $"waits at a barrier for lanes 0x{missing:x8} of its warp, which ended at {Place(ExitPc)}"
                : $"waits at a barrier without lanes 0x{missing:x8} of its warp, which went another way");
        }
        if (PartFromGuarded(index, i, mask)) return false;
        var number = (int)((uint*)(Registers + i.A))[First(mask)];
        Clock++;
        Block.Counters.Barriers++;
        if ((BarrierKind)i.Count == BarrierKind.Arrive)
        {
            fragments[index].Pc++;
            Block.Arrive(this, i, number, mask);
            return true;
        }
        fragments[index].State = FragmentState.AtBarrier;
        fragments[index].Barrier = number;
        Block.Arrive(this, i, number, mask);
        return false;
    }

    /// <summary>"smooth_l1.cu:31" or "PTX line 120".</summary>
    public string Place(int pc) => code[pc].Statement is { Location: { } at } ? at.ToString()
        : $"PTX line {code[pc].Statement.Line}";
}
