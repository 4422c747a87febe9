using System.Numerics;
using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>Accesses to global and constant memory, with the sectors of 32 bytes that they touch.</summary>
internal static unsafe class GlobalPort
{
    private const int SectorShift = 5;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Resolve(Warp w, Instruction i, uint mask, int bytes, Access access)
    {
        var block = w.Block;
        var checks = block.Launch.Checks;
        var item = block.LastAllocation[i.Index];
        var counters = block.Counters;
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var k = BitOperations.TrailingZeroCount(rest);
            var address = w.Addresses[k];
            if (item is null || address - item.Start >= (ulong)item.Bytes
                || bytes > item.Bytes - (long)(address - item.Start))
                item = block.LastAllocation[i.Index] = Find(block.Launch.Memory, address, bytes, k);
            if ((address & (ulong)(bytes - 1)) != 0) MemoryPort.CheckAligned(address, bytes, k);
            var offset = (long)(address - item.Start);
            w.Pointers[k] = item.Data + offset;
            if (!checks) continue;
            if ((access & Access.Read) != 0 && !MemoryPort.AllWritten(item.Written + offset, bytes))
            {
                throw new LaneFault(FindingKind.Uninitialised, k,
                    $"reads {bytes} bytes at byte {offset} of {item} that were never written");
            }
            if ((access & Access.Write) != 0)
            {
                if (item.ReadOnly)
                    throw new LaneFault(FindingKind.OutOfBounds, k, $"writes to {item}, which is constant");
                MemoryPort.SetWritten(item.Written + offset, bytes);
            }
        }
        var moved = (long)bytes * BitOperations.PopCount(mask);
        if ((access & Access.Read) != 0) counters.GlobalRead += moved;
        if ((access & Access.Write) != 0) counters.GlobalWritten += moved;
        if (checks) CountSectors(w, mask, bytes, counters);
    }

    private static Allocation Find(GlobalMemory memory, ulong address, int bytes, int lane)
    {
        var item = memory.Find(address);
        if (item is null || item.Freed || address - item.Start >= (ulong)item.Bytes
            || bytes > item.Bytes - (long)(address - item.Start))
            throw new LaneFault(FindingKind.OutOfBounds, lane, memory.Nearest(address, bytes));
        return item;
    }

    /// <summary>Distinct sectors, and how many the distinct elements would fill.</summary>
    [SkipLocalsInit]
    private static void CountSectors(Warp w, uint mask, int bytes, Counters counters)
    {
        var seen = stackalloc ulong[Lanes.Count];
        var elements = stackalloc ulong[Lanes.Count];
        int sectors = 0, distinct = 0;
        for (; mask != 0; mask &= mask - 1)
        {
            var address = w.Addresses[BitOperations.TrailingZeroCount(mask)];
            if (Note(elements, ref distinct, address)) Note(seen, ref sectors, address >> SectorShift);
        }
        counters.Sectors += sectors;
        counters.SectorsNeeded += (distinct * bytes + (1 << SectorShift) - 1) >> SectorShift;
    }

    /// <summary>Adds a value unless it is there; the last ones are the likeliest.</summary>
    private static bool Note(ulong* list, ref int count, ulong value)
    {
        for (var n = count - 1; n >= 0; n--)
            if (list[n] == value) return false;
        list[count++] = value;
        return true;
    }
}
