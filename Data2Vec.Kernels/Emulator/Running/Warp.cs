using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>32 lanes: their registers, and what they have in common.</summary>
internal sealed unsafe partial class Warp : IDisposable
{
    private readonly Instruction[] code;

    public Warp(BlockRun block, int index)
    {
        (Block, Index) = (block, index);
        code = block.Launch.Kernel.Code;
        var layout = block.Launch.Kernel.Registers;
        Registers = (byte*)NativeMemory.AlignedAlloc((nuint)layout.Bytes + 64, 64);
        NativeMemory.Clear(Registers, (nuint)layout.Bytes);
        Addresses = (ulong*)NativeMemory.AlignedAlloc(8 * Lanes.Count, 64);
        Pointers = (byte**)NativeMemory.AlignedAlloc(8 * Lanes.Count, 64);
        Known = (uint*)NativeMemory.AllocZeroed(4 * Lanes.Count);
        foreach (var (offset, value, wide) in layout.Constants)
        {
            for (var k = 0; k < Lanes.Count; k++)
            {
                if (wide) ((ulong*)(Registers + offset))[k] = value;
                else ((uint*)(Registers + offset))[k] = (uint)value;
            }
        }
    }

    public BlockRun Block { get; }

    /// <summary>Its number in the block.</summary>
    public int Index { get; }

    public byte* Registers { get; }

    /// <summary>Addresses of the lanes in the memory instruction that runs.</summary>
    public ulong* Addresses { get; }

    /// <summary>The host's pointers for <see cref="Addresses"/>.</summary>
    public byte** Pointers { get; }

    /// <summary>Carry of each lane.</summary>
    public uint Carry { get; set; }

    /// <summary>Moves on when the warp's lanes meet; for <see cref="RaceTable"/>.</summary>
    public uint Clock { get; set; }

    /// <summary>By warp: its time up to which everything came before what this warp does now.</summary>
    public uint* Known { get; }

    public PendingCopies Copies { get; } = new();

    /// <summary>Lanes that have a thread.</summary>
    public uint Exists { get; private set; }

    /// <summary>Lanes whose thread has not ended.</summary>
    public uint Alive { get; private set; }

    /// <summary>Instruction that runs.</summary>
    public int Pc { get; private set; }

    /// <summary>Where the last threads ended.</summary>
    public int ExitPc { get; private set; }

    /// <summary>The lanes of a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* At<T>(int offset)
        where T : unmanaged => (T*)(Registers + offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Predicate(int offset) => *(uint*)(Registers + offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetPredicate(int offset, uint mask, uint value)
    {
        var p = (uint*)(Registers + offset);
        *p = (*p & ~mask) | (value & mask);
    }

    /// <summary>Puts all threads at the beginning, with the special registers of the block.</summary>
    public void Begin(int threads)
    {
        var count = Math.Min(Lanes.Count, threads - Index * Lanes.Count);
        Exists = Alive = count == Lanes.Count ? uint.MaxValue : (1u << count) - 1;
        foreach (var (offset, register, wide) in Block.Launch.Kernel.Registers.Specials)
        {
            for (var k = 0; k < Lanes.Count; k++)
            {
                var value = SpecialRegisters.Value(register, this, k);
                if (wide) ((ulong*)(Registers + offset))[k] = value;
                else ((uint*)(Registers + offset))[k] = value;
            }
        }
        Copies.Clear();
        Carry = 0;
        fragmentCount = 0;
        tokenCount = 1;
        freeTokens = 0;
        loosened = false;
        tokens[0] = new Token { Pc = -1, Parent = -1 };
        AddFragment(0, Exists, 0);
    }

    /// <summary>The finding of a lane, with its place.</summary>
    public EmulatorException Locate(LaneFault fault, int pc)
    {
        var statement = code[pc].Statement;
        var launch = Block.Launch;
        return new EmulatorException(new Finding(
            fault.Kind, fault.Message, launch.Kernel.Name, statement.Location, statement.Line, statement.Opcode,
            Block.Position, launch.ThreadAt(Index * Lanes.Count + fault.Lane)));
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Registers);
        NativeMemory.AlignedFree(Addresses);
        NativeMemory.AlignedFree(Pointers);
        NativeMemory.Free(Known);
    }

    private static int First(uint mask) => BitOperations.TrailingZeroCount(mask);
}
