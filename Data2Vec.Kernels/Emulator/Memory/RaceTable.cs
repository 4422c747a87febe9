using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// Who last wrote and read each piece of shared memory, and when by the clock of its warp. Each warp has a clock that
/// moves on at barriers and warp-level exchanges, and knows up to which time of every other warp it is behind a
/// barrier; an access that is not before that time may have come later just as well. This is happens-before with vector
/// clocks by warp. Source: Flanagan and Freund 2009, "FastTrack"; compute-sanitizer's racecheck for what counts as a
/// hazard.
/// </summary>
internal sealed unsafe class RaceTable : IDisposable
{
    // A stamp: clock in the upper half; below, the warp, the lane, and these.
    private const ulong ManyLanes = 1 << 13, AtomicAccess = 1 << 14;
    private readonly Cell* cells;
    private readonly int shift;

    /// <param name="bytes">Bytes of shared memory.</param>
    /// <param name="grain">Bytes of the smallest access of the kernel: a power of two.</param>
    public RaceTable(int bytes, int grain)
    {
        shift = System.Numerics.BitOperations.Log2((uint)grain);
        cells = (Cell*)NativeMemory.AllocZeroed((nuint)((bytes >> shift) + 1), (nuint)sizeof(Cell));
    }

    private struct Cell
    {
        /// <summary>The last write.</summary>
        public ulong Write;

        /// <summary>The last reads of two different warps: whoever writes is none of at least one of them.</summary>
        public ulong Read1, Read2;
    }

    /// <summary>Notes a read.</summary>
    /// <returns>The stamp of a write that it races with, or 0.</returns>
    public ulong Read(Warp warp, int lane, int offset, int bytes, bool atomic)
    {
        var stamp = Stamp(warp, lane) | (atomic ? AtomicAccess : 0);
        for (int c = offset >> shift, end = (offset + bytes - 1) >> shift; c <= end; c++)
        {
            var cell = cells + c;
            if (!Before(cell->Write, warp, lane) && !(atomic && (cell->Write & AtomicAccess) != 0)) return cell->Write;
            if (!atomic) NoteRead(cell, stamp, warp, lane);
        }
        return 0;
    }

    /// <summary>Notes a write, or an atomic access.</summary>
    /// <returns>The stamp of an access that it races with, or 0.</returns>
    public ulong Write(Warp warp, int lane, int offset, int bytes, bool atomic)
    {
        var stamp = Stamp(warp, lane) | (atomic ? AtomicAccess : 0);
        for (int c = offset >> shift, end = (offset + bytes - 1) >> shift; c <= end; c++)
        {
            var cell = cells + c;
            if (!Before(cell->Write, warp, lane) && !(atomic && (cell->Write & AtomicAccess) != 0)) return cell->Write;
            if (!Before(cell->Read1, warp, lane)) return cell->Read1;
            if (!Before(cell->Read2, warp, lane)) return cell->Read2;
            cell->Write = stamp;
            cell->Read1 = cell->Read2 = 0;
        }
        return 0;
    }

    /// <summary>Puts a write in without a look: what was found of the same value, or lands from a copy.</summary>
    public void Overwrite(Warp warp, int lane, int offset, int bytes)
    {
        for (int c = offset >> shift, end = (offset + bytes - 1) >> shift; c <= end; c++)
            cells[c] = new Cell { Write = Stamp(warp, lane) };
    }

    /// <summary>True if the last writer left this stamp: the race is with a write.</summary>
    public bool IsWrite(int offset, int bytes, ulong stamp)
    {
        for (int c = offset >> shift, end = (offset + bytes - 1) >> shift; c <= end; c++)
            if (cells[c].Write == stamp) return true;
        return false;
    }

    /// <summary>Thread of a block that left a stamp.</summary>
    public static int ThreadOf(ulong stamp) => (int)(stamp & 0x1fff);

    public void Dispose() => NativeMemory.Free(cells);

    private static ulong Stamp(Warp warp, int lane) =>
        (ulong)warp.Clock << 32 | (uint)(warp.Index * Lanes.Count + lane);

    /// <summary>True if an access came before what the lane does now, whatever the order of warps.</summary>
    private static bool Before(ulong stamp, Warp warp, int lane)
    {
        var clock = (uint)(stamp >> 32);
        var other = (int)(stamp & 0x1fff) >> 5;
        if (other == warp.Index) return clock < warp.Clock || ((stamp & ManyLanes) == 0 && (int)(stamp & 31) == lane);
        return clock < warp.Known[other];
    }

    private static void NoteRead(Cell* cell, ulong stamp, Warp warp, int lane)
    {
        if (cell->Read1 == stamp) return;
        if (((cell->Read1 ^ stamp) & ~(ManyLanes | 31)) == 0)
        {
            cell->Read1 |= ManyLanes;
            return;
        }
        if (Same(cell->Read1, warp)) cell->Read1 = Merge(cell->Read1, stamp);
        else if (Same(cell->Read2, warp)) cell->Read2 = Merge(cell->Read2, stamp);
        else if (Before(cell->Read1, warp, lane)) cell->Read1 = stamp;
        else if (Before(cell->Read2, warp, lane)) cell->Read2 = stamp;
    }

    private static bool Same(ulong stamp, Warp warp) => stamp != 0 && (int)(stamp & 0x1fff) >> 5 == warp.Index;

    private static ulong Merge(ulong old, ulong stamp) =>
        old >> 32 == stamp >> 32 && (old & 31) != (stamp & 31) ? old | ManyLanes
            : stamp | (old >> 32 == stamp >> 32 ? old & ManyLanes : 0);
}
