using System.Numerics;
using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels.Emulator;

/// <summary>Runs blocks of one launch, one after the other, on one thread of the host.</summary>
internal sealed unsafe class BlockRun : IDisposable
{
    private const int MostBarriers = 16;
    private readonly Warp[] warps;
    private readonly BarrierState[] barriers = new BarrierState[MostBarriers];
    private long budget;

    public BlockRun(LaunchRun launch)
    {
        Launch = launch;
        var kernel = launch.Kernel;
        LastAllocation = new Allocation?[kernel.Code.Length];
        Shared = new SharedMemory(kernel, launch.DynamicShared, launch.Checks);
        WarpCount = (launch.Threads + Lanes.Count - 1) / Lanes.Count;
        var local = (nuint)(kernel.LocalBytes * WarpCount * Lanes.Count);
        Local = (byte*)NativeMemory.AlignedAlloc(local + 16, 64);
        LocalState = (byte*)NativeMemory.AlignedAlloc(local + 16, 64);
        warps = new Warp[WarpCount];
        for (var i = 0; i < WarpCount; i++) warps[i] = new Warp(this, i);
    }

    private struct BarrierState
    {
        public int Arrived, Expected;

        /// <summary>Warps that wait, and those that were counted.</summary>
        public uint Waiting, Counted;

        public uint Ones;
        public bool All, Any, Reduces;
        public Instruction? First;
    }

    public LaunchRun Launch { get; set; }

    public int WarpCount { get; }

    public SharedMemory Shared { get; }

    /// <summary>Local memory of all threads, and the state of its bytes.</summary>
    public byte* Local { get; }

    public byte* LocalState { get; }

    public Counters Counters { get; } = new();

    public Dim3 Position { get; private set; }

    /// <summary>The allocation that each instruction met last.</summary>
    public Allocation?[] LastAllocation { get; }

    /// <summary>Runs the block with this number.</summary>
    /// <exception cref="EmulatorException">A finding.</exception>
    public void Run(long number)
    {
        var grid = Launch.Grid;
        Position = new Dim3((int)(number % grid.X), (int)(number / grid.X % grid.Y), (int)(number / grid.X / grid.Y));
        budget = Launch.Budget;
        Array.Clear(barriers);
        Shared.Clear();
        NativeMemory.Clear(LocalState, (nuint)(Launch.Kernel.LocalBytes * WarpCount * Lanes.Count));
        Begin();
        Counters.Blocks++;
        for (var alive = true; alive;)
        {
            alive = false;
            var progress = false;
            foreach (var warp in warps)
            {
                if (warp.Alive == 0) continue;
                progress |= warp.Run();
                alive |= warp.Alive != 0;
            }
            if (alive && !progress) throw Stuck();
        }
    }

    /// <summary>Everything that earlier blocks did came before what this one does.</summary>
    private void Begin()
    {
        var now = warps.Max(w => w.Clock) + 1;
        foreach (var warp in warps)
        {
            warp.Begin(Launch.Threads);
            warp.Clock = now;
            for (var u = 0; u < WarpCount; u++) warp.Known[u] = now;
        }
    }

    /// <summary>Counts instructions of a warp.</summary>
    public void Spend(int instructions)
    {
        budget -= instructions;
        if (budget < 0)
        {
            throw new LaneFault(FindingKind.Endless, 0,
                $"the block has run {Launch.Budget} instructions of warps without coming to an end");
        }
    }

    /// <summary>Lanes of a warp are at a barrier.</summary>
    public void Arrive(Warp warp, Instruction i, int number, uint mask)
    {
        if ((uint)number >= MostBarriers)
            throw new LaneFault(FindingKind.Barrier, First(mask),
                $"there are {MostBarriers} barriers, and none is number {number}");
        ref var barrier = ref barriers[number];
        var counts = i.Value != 0;
        var expected = counts ? (int)((uint*)(warp.Registers + i.B))[First(mask)] : Launch.Threads;
        if (barrier.Arrived == 0) (barrier.Expected, barrier.First, barrier.All) = (expected, i, true);
        else if (barrier.Expected != expected)
        {
            throw new LaneFault(FindingKind.Barrier, First(mask),
                $"waits at barrier {number} for {expected} threads, where {warp.Place(barrier.First!.Index)} "
                + $"waits for {barrier.Expected}");
        }
        // A warp that is not full counts as one wherever threads are counted by the kernel.
        barrier.Arrived += counts && i.Signed ? Lanes.Count : BitOperations.PopCount(mask);
        barrier.Counted |= 1u << warp.Index;
        var kind = (BarrierKind)i.Count;
        if (kind != BarrierKind.Arrive) barrier.Waiting |= 1u << warp.Index;
        if (kind is BarrierKind.Count or BarrierKind.All or BarrierKind.Any)
        {
            var holds = (warp.Predicate(i.C) ^ (uint)i.E) & mask;
            barrier.Reduces = true;
            barrier.Ones += (uint)BitOperations.PopCount(holds);
            barrier.All &= holds == mask;
            barrier.Any |= holds != 0;
        }
        if (barrier.Arrived > barrier.Expected)
        {
            throw new LaneFault(FindingKind.Barrier, First(mask),
                $"{barrier.Arrived} threads arrive at barrier {number}, which {barrier.Expected} were to pass");
        }
        if (barrier.Arrived == barrier.Expected) Open(number, kind);
    }

    private void Open(int number, BarrierKind kind)
    {
        var barrier = barriers[number];
        barriers[number] = default;
        Meet(barrier);
        var result = kind switch
        {
            BarrierKind.Count => barrier.Ones,
            BarrierKind.All => barrier.All ? 1u : 0,
            _ => barrier.Any ? 1u : 0,
        };
        for (var rest = barrier.Waiting; rest != 0; rest &= rest - 1) warps[First(rest)].Release(number, result);
    }

    /// <summary>Who waited knows all that those who were counted did and knew.</summary>
    private void Meet(in BarrierState barrier)
    {
        var known = stackalloc uint[Lanes.Count];
        new Span<uint>(known, Lanes.Count).Clear();
        for (var rest = barrier.Counted; rest != 0; rest &= rest - 1)
        {
            var warp = warps[First(rest)];
            warp.Known[warp.Index] = warp.Clock;
            for (var u = 0; u < WarpCount; u++) known[u] = Math.Max(known[u], warp.Known[u]);
        }
        for (var rest = barrier.Waiting; rest != 0; rest &= rest - 1)
            new Span<uint>(known, WarpCount).CopyTo(new Span<uint>(warps[First(rest)].Known, WarpCount));
    }

    private EmulatorException Stuck()
    {
        foreach (var warp in warps)
        {
            if (warp.AtBarrier() is not { } waiting) continue;
            ref var barrier = ref barriers[waiting.Barrier];
            var other = Array.Find(warps, w => w.AtBarrier() is { } f && f.Barrier != waiting.Barrier);
            var ended = Array.Find(warps, w => w.Alive == 0);
            var reason = other is not null ? $"others wait at {other.Place(other.AtBarrier()!.Value.Pc)}"
                : ended is not null ? $"thread {Finding.Words(Launch.ThreadAt(ended.Index * Lanes.Count))} "
                    + $"and its warp ended at {ended.Place(ended.ExitPc)}"
                : "the others wait for something else";
            return warp.Locate(new LaneFault(FindingKind.Barrier, First(waiting.Mask),
                $"waits at barrier {waiting.Barrier}, which {barrier.Arrived} of {barrier.Expected} threads reach; "
                + reason), waiting.Pc);
        }
        throw new InvalidOperationException("A block is stuck and none of its warps waits at a barrier.");
    }

    public void Dispose()
    {
        foreach (var warp in warps) warp.Dispose();
        Shared.Dispose();
        NativeMemory.AlignedFree(Local);
        NativeMemory.AlignedFree(LocalState);
    }

    private static int First(uint mask) => BitOperations.TrailingZeroCount(mask);
}
