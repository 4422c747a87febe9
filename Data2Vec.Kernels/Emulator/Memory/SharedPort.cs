using System.Numerics;
using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>Accesses to shared memory, with races and bank conflicts.</summary>
internal static unsafe class SharedPort
{
    private const int Banks = 32;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Resolve(Warp w, Instruction i, uint mask, int bytes, Access access)
    {
        var (shared, checks) = (w.Block.Shared, w.Block.Launch.Checks);
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var k = BitOperations.TrailingZeroCount(rest);
            var address = w.Addresses[k];
            if (address >= (ulong)shared.Bytes || bytes > shared.Bytes - (int)address)
                throw new LaneFault(FindingKind.OutOfBounds, k, $"{bytes} bytes at {shared.Name((long)address)}");
            if ((address & (ulong)(bytes - 1)) != 0) MemoryPort.CheckAligned(address, bytes, k);
            w.Pointers[k] = shared.Data + address;
            if (checks) Check(w, i, mask, k, (int)address, bytes, access);
        }
        var counters = w.Block.Counters;
        var moved = (long)bytes * BitOperations.PopCount(mask);
        if ((access & Access.Read) != 0) counters.SharedRead += moved;
        if ((access & Access.Write) != 0) counters.SharedWritten += moved;
        if (checks) CountConflicts(w, mask, bytes, counters);
    }

    private static void Check(Warp w, Instruction i, uint mask, int lane, int address, int bytes, Access access)
    {
        var shared = w.Block.Shared;
        var state = shared.State + address;
        if ((access & Access.Read) != 0)
        {
            if (!MemoryPort.AllWritten(state, bytes)) Unreadable(shared, lane, address, bytes);
        }
        else if (!MemoryPort.AllWritten(state, bytes))
        {
            for (var n = 0; n < bytes; n++)
            {
                if (state[n] == ByteState.Gap)
                    throw new LaneFault(FindingKind.OutOfBounds, lane, $"writes {shared.Name(address + n)}");
            }
        }
        if (shared.Races is { } races)
        {
            var atomic = (access & Access.Atomic) != 0;
            var other = (access & Access.Write) != 0 ? races.Write(w, lane, address, bytes, atomic)
                : races.Read(w, lane, address, bytes, atomic);
            if (other != 0 && !StoresTheSame(w, i, mask, lane, address, bytes, access, other))
                Race(w, lane, address, bytes, access, other);
        }
        if ((access & Access.Async) != 0) new Span<byte>(state, bytes).Fill(ByteState.Pending);
        else if ((access & Access.Write) != 0) MemoryPort.SetWritten(state, bytes);
    }

    private static void Unreadable(SharedMemory shared, int lane, int address, int bytes)
    {
        for (var n = 0; n < bytes; n++)
        {
            var detail = shared.State[address + n] switch
            {
                ByteState.Gap => (FindingKind.OutOfBounds, $"reads {shared.Name(address + n)}"),
                ByteState.Pending => (FindingKind.SharedRace,
                    $"reads {shared.Name(address + n)}, which a cp.async that nobody waited for will write"),
                ByteState.Unwritten => (
                    FindingKind.Uninitialised, $"reads {shared.Name(address + n)}, which was never written"),
                _ => default,
            };
            if (detail.Item2 is not null) throw new LaneFault(detail.Item1, lane, detail.Item2);
        }
    }

    private static void Race(Warp w, int lane, int address, int bytes, Access access, ulong other)
    {
        var shared = w.Block.Shared;
        var thread = Finding.Words(w.Block.Launch.ThreadAt(RaceTable.ThreadOf(other)));
        var did = shared.Races!.IsWrite(address, bytes, other) ? "writes" : "reads";
        var does = (access & Access.Write) != 0 ? "writes" : "reads";
        throw new LaneFault(FindingKind.SharedRace, lane,
            $"{does} {shared.Name(address)}, which thread {thread} {did} too, with no barrier between them");
    }

    /// <summary>
    /// Writes of one value by many threads are no race; the value is there already or comes from a lower lane.
    /// </summary>
    private static bool StoresTheSame(
        Warp w, Instruction i, uint mask, int lane, int address, int bytes, Access access, ulong other)
    {
        if (access != Access.Write || !w.Block.Shared.Races!.IsWrite(address, bytes, other)) return false;
        byte* mine = stackalloc byte[16], theirs = stackalloc byte[16];
        LoadsAndStores.Stored(w, i, lane, mine);
        var found = false;
        for (var rest = mask & ((1u << lane) - 1); rest != 0; rest &= rest - 1)
        {
            var k = BitOperations.TrailingZeroCount(rest);
            if (w.Addresses[k] != (ulong)address) continue;
            LoadsAndStores.Stored(w, i, k, theirs);
            found = true;
        }
        var there = found ? new ReadOnlySpan<byte>(theirs, bytes)
            : new ReadOnlySpan<byte>(w.Block.Shared.Data + address, bytes);
        if (!there.SequenceEqual(new ReadOnlySpan<byte>(mine, bytes))) return false;
        w.Block.Shared.Races.Overwrite(w, lane, address, bytes);
        return true;
    }

    /// <summary>
    /// Up to 4 bytes a lane the warp is served at once, of 8 bytes by halves, of 16 by quarters; in each, different
    /// words of one bank come one after the other.
    /// </summary>
    public static void CountConflicts(Warp w, uint mask, int bytes, Counters counters)
    {
        var lanes = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
        var words = Math.Max(1, bytes / 4);
        for (var from = 0; from < Lanes.Count; from += lanes)
        {
            var group = lanes == 32 ? mask : mask & (((1u << lanes) - 1) << from);
            if (group == 0) continue;
            var rounds = Rounds(w, group, words);
            counters.Wavefronts += rounds;
            counters.BankConflicts += rounds - 1;
        }
    }

    /// <summary>The most distinct words that one bank has to give.</summary>
    [SkipLocalsInit]
    private static int Rounds(Warp w, uint group, int words)
    {
        var held = stackalloc ulong[Banks];
        uint used = 0;
        var clash = false;
        for (var rest = group; rest != 0 && !clash; rest &= rest - 1)
        {
            var word = w.Addresses[BitOperations.TrailingZeroCount(rest)] >> 2;
            for (var n = 0; n < words; n++, word++)
            {
                var bank = (int)(word & (Banks - 1));
                clash |= (used >> bank & 1) != 0 && held[bank] != word;
                used |= 1u << bank;
                held[bank] = word;
            }
        }
        return clash ? CountRounds(w, group, words) : 1;
    }

    private static int CountRounds(Warp w, uint group, int words)
    {
        var counts = stackalloc int[Banks];
        new Span<int>(counts, Banks).Clear();
        var seen = stackalloc ulong[Lanes.Count];
        var count = 0;
        var most = 1;
        for (; group != 0; group &= group - 1)
        {
            var word = w.Addresses[BitOperations.TrailingZeroCount(group)] >> 2;
            for (var n = 0; n < words; n++, word++)
            {
                var known = false;
                for (var m = 0; m < count && !known; m++) known = seen[m] == word;
                if (known) continue;
                seen[count++] = word;
                most = Math.Max(most, ++counts[word & (Banks - 1)]);
            }
        }
        return most;
    }
}
