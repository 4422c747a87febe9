using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>What the emulator knows about a byte of shared or local memory.</summary>
internal static class ByteState
{
    /// <summary>Nobody wrote it.</summary>
    public const byte Unwritten = 0;

    public const byte Written = 1;

    /// <summary>A cp.async will write it; nobody may look before the wait.</summary>
    public const byte Pending = 2;

    /// <summary>It lies between two variables.</summary>
    public const byte Gap = 3;
}

/// <summary>
/// Shared memory of one block. Variables are kept apart by gaps that are whole rounds of the banks: who writes past an
/// end is seen, and bank conflicts stay what they are.
/// </summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    private readonly EmulatedKernel kernel;
    private readonly int dynamicBytes;

    public SharedMemory(EmulatedKernel kernel, int dynamicBytes, bool races)
    {
        this.kernel = kernel;
        this.dynamicBytes = dynamicBytes;
        Bytes = kernel.DynamicOffset + dynamicBytes;
        Data = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes + 16, 128);
        State = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes + 16, 16);
        Races = races && Bytes > 0 ? new RaceTable(Bytes, kernel.SharedGrain) : null;
    }

    /// <summary>Bytes with all gaps.</summary>
    public int Bytes { get; }

    public byte* Data { get; }

    /// <summary>A <see cref="ByteState"/> for each byte.</summary>
    public byte* State { get; }

    public RaceTable? Races { get; }

    /// <summary>For the next block: nothing is written.</summary>
    public void Clear()
    {
        NativeMemory.Fill(Data, (nuint)Bytes, 0xcd);
        NativeMemory.Fill(State, (nuint)Bytes, ByteState.Gap);
        foreach (var (offset, variable) in kernel.SharedVariables)
            NativeMemory.Fill(State + offset, (nuint)variable.Bytes, ByteState.Unwritten);
        NativeMemory.Fill(State + kernel.DynamicOffset, (nuint)dynamicBytes, ByteState.Unwritten);
    }

    /// <summary>"byte 12 of sums".</summary>
    public string Name(long address)
    {
        foreach (var (offset, variable) in kernel.SharedVariables)
            if (address >= offset && address < offset + variable.Bytes)
                return $"byte {address - offset} of {variable.Name}";
        if (address >= kernel.DynamicOffset && address < Bytes)
            return $"byte {address - kernel.DynamicOffset} of the {dynamicBytes} bytes of dynamic shared memory";
        var before = kernel.SharedVariables.LastOrDefault(v => address >= v.Offset + v.Variable.Bytes);
        if (dynamicBytes > 0 && address >= Bytes)
            return $"{address - Bytes} bytes behind the {dynamicBytes} bytes of dynamic shared memory";
        return before.Variable is null
            ? $"address {address} of shared memory, of which the block has {kernel.SharedBytes + dynamicBytes} bytes"
            : $"{address - before.Offset - before.Variable.Bytes} bytes behind {before.Variable.Name} "
                + $"of {before.Variable.Bytes} bytes";
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Data);
        NativeMemory.AlignedFree(State);
        Races?.Dispose();
    }
}
