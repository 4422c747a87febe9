using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>A piece of device memory, with one byte beside each that says whether it was written.</summary>
internal sealed unsafe class Allocation
{
    public required ulong Start { get; init; }

    /// <summary>Bytes that may be used: those asked for.</summary>
    public required long Bytes { get; set; }

    /// <summary>Bytes that are there.</summary>
    public required long Capacity { get; init; }

    public required string Name { get; init; }

    public bool ReadOnly { get; init; }

    public byte* Data { get; set; }

    /// <summary>1 for a byte that was written.</summary>
    public byte* Written { get; set; }

    public bool Freed { get; set; }

    public override string ToString() => $"{Name} of {Bytes} bytes{(Freed ? ", which was freed" : "")}";
}

/// <summary>
/// Device memory. Addresses are the emulator's own: allocations lie far apart and an address is never used twice, so a
/// pointer past an end or into freed memory meets nothing.
/// </summary>
internal sealed unsafe class GlobalMemory : IDisposable
{
    private const ulong Align = 512, Gap = 1 << 20;
    /// <summary>What bytes hold that nobody wrote: no zeros.</summary>
    public const byte Unwritten = 0xcd;

    private const int MostFreed = 4096;

    // Replaced, never changed, by a change: blocks that run look into it without a lock.
    private ulong[] starts = [];
    private Allocation[] items = [];
    private int count;
    private ulong next = Windows.Global;
    private int made;

    /// <summary>Bytes in use.</summary>
    public long InUse { get; private set; }

    /// <summary>An allocation of its own address, with nothing written in it.</summary>
    public Allocation Allocate(long bytes, string? name = null, bool readOnly = false)
    {
        var made = Interlocked.Increment(ref this.made);
        var item = new Allocation
        {
            Start = next, Bytes = bytes, Capacity = bytes, Name = name ?? $"allocation {made}", ReadOnly = readOnly,
            Data = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), 64),
            Written = (byte*)NativeMemory.AllocZeroed((nuint)Math.Max(bytes, 1)),
        };
        NativeMemory.Fill(item.Data, (nuint)bytes, Unwritten);
        next += ((ulong)bytes + Gap + Align - 1) & ~(Align - 1);
        if (count == items.Length) Grow();
        (starts[count], items[count]) = (item.Start, item);
        count++;
        InUse += bytes;
        return item;
    }

    /// <summary>Gives back the allocation that begins at an address.</summary>
    public void Free(ulong start)
    {
        var item = Find(start);
        if (item is null || item.Start != start || item.Freed)
            throw new ArgumentException($"No allocation begins at 0x{start:x}.");
        Release(item);
        InUse -= item.Capacity;
    }

    /// <summary>
    /// The allocation at or before an address, also if freed; null if the address lies behind the gap.
    /// </summary>
    public Allocation? Find(ulong address)
    {
        var index = Array.BinarySearch(starts, 0, count, address);
        if (index < 0) index = ~index - 1;
        if (index < 0) return null;
        var item = items[index];
        return address - item.Start < (ulong)item.Bytes + Gap ? item : null;
    }

    /// <summary>The allocation in which all bytes lie; the host may use it whole.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none; the message says what lies nearest.</exception>
    public Allocation Holding(ulong address, long bytes)
    {
        var item = Find(address);
        if (item is not null && !item.Freed && address - item.Start <= (ulong)item.Capacity
            && bytes <= item.Capacity - (long)(address - item.Start)) return item;
        throw new ArgumentOutOfRangeException(nameof(address), Nearest(address, bytes));
    }

    /// <summary>
    /// What a bad address is near to: "4 bytes at 0x7400000000400: 0 bytes behind allocation 3 of 1024 bytes".
    /// </summary>
    public string Nearest(ulong address, long bytes)
    {
        var words = $"{bytes} bytes at 0x{address:x}";
        if (Find(address) is not { } item)
        {
            var before = address > Gap ? Find(address + (Gap >> 1)) : null;
            return before is { } b && b.Start > address ? $"{words}, {b.Start - address} bytes before {b}"
                : $"{words}, where nothing is allocated";
        }
        var offset = (long)(address - item.Start);
        if (item.Freed) return $"{words}, {offset} bytes into {item}";
        return offset >= item.Bytes ? $"{words}, {offset - item.Bytes} bytes behind {item}"
            : $"{words}, of which the last lie behind {item}";
    }

    /// <summary>Every allocation may be used whole again.</summary>
    public void Widen()
    {
        for (var i = 0; i < count; i++) items[i].Bytes = items[i].Capacity;
    }

    public void Dispose()
    {
        for (var i = 0; i < count; i++)
            if (!items[i].Freed) Release(items[i]);
        count = 0;
    }

    private static void Release(Allocation item)
    {
        NativeMemory.AlignedFree(item.Data);
        NativeMemory.Free(item.Written);
        item.Freed = true;
        item.Data = item.Written = null;
    }

    /// <summary>Makes room; of freed allocations only the last are remembered.</summary>
    private void Grow()
    {
        var freed = items.Take(count).Count(a => a.Freed);
        var forget = Math.Max(0, freed - MostFreed);
        var kept = new List<Allocation>(count);
        for (var i = 0; i < count; i++)
        {
            if (items[i].Freed && forget > 0) forget--;
            else kept.Add(items[i]);
        }
        items = new Allocation[Math.Max(64, kept.Count * 2)];
        starts = new ulong[items.Length];
        for (var i = 0; i < kept.Count; i++) (starts[i], items[i]) = (kept[i].Start, kept[i]);
        count = kept.Count;
    }
}
