using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>How an instruction touches memory.</summary>
[Flags]
internal enum Access
{
    Read = 1,
    Write = 2,

    /// <summary>Of atomics, and of volatile and synchronising loads and stores: does not race with its like.</summary>
    Atomic = 4,

    /// <summary>A copy that lands later.</summary>
    Async = 8,
}

/// <summary>
/// Turns the addresses of an instruction into pointers of the host, and checks them: bounds, alignment, whether what is
/// read was written, races. Leaves a pointer for every lane of the mask in <see cref="Warp.Pointers"/>.
/// </summary>
internal static unsafe class MemoryPort
{
    /// <summary>Addresses base + offset of the lanes, into <see cref="Warp.Addresses"/>.</summary>
    public static void ComputeAddresses(Warp w, Instruction i, uint mask)
    {
        var a = w.Registers + i.A;
        var addresses = w.Addresses;
        if (i.WideA)
        {
            for (var k = 0; k < Lanes.Count; k++) addresses[k] = ((ulong*)a)[k] + (ulong)i.Value;
        }
        else
        {
            for (var k = 0; k < Lanes.Count; k++) addresses[k] = ((uint*)a)[k] + (ulong)i.Value;
        }
    }

    /// <summary>Resolves what [A + Value] names in the lanes of a mask.</summary>
    public static void Resolve(Warp w, Instruction i, uint mask, Access access)
    {
        ComputeAddresses(w, i, mask);
        Resolve(w, i, mask, i.Space, i.Size * i.Count, access);
    }

    /// <summary>Resolves <see cref="Warp.Addresses"/>.</summary>
    public static void Resolve(Warp w, Instruction i, uint mask, PtxSpace space, int bytes, Access access)
    {
        if (space == PtxSpace.Generic) Generic(w, i, mask, bytes, access);
        else One(w, i, mask, space, bytes, access);
    }

    private static void One(Warp w, Instruction i, uint mask, PtxSpace space, int bytes, Access access)
    {
        switch (space)
        {
            case PtxSpace.Shared:
                SharedPort.Resolve(w, i, mask, bytes, access);
                break;
            case PtxSpace.Local:
                Local(w, mask, bytes, access);
                break;
            case PtxSpace.Param:
                Param(w, mask, bytes, access);
                break;
            default:
                GlobalPort.Resolve(w, i, mask, bytes, access);
                break;
        }
    }

    /// <summary>Generic addresses, which the lanes of one instruction may have in different spaces.</summary>
    private static void Generic(Warp w, Instruction i, uint mask, int bytes, Access access)
    {
        var lowest = ulong.MaxValue;
        for (var rest = mask; rest != 0; rest &= rest - 1)
            lowest = Math.Min(lowest, w.Addresses[BitOperations.TrailingZeroCount(rest)]);
        if (lowest >= Windows.Global)
        {
            GlobalPort.Resolve(w, i, mask, bytes, access);
            return;
        }
        for (var left = mask; left != 0;)
        {
            var window = Windows.WindowOf(w.Addresses[BitOperations.TrailingZeroCount(left)]);
            uint same = 0;
            for (var rest = left; rest != 0; rest &= rest - 1)
            {
                var k = BitOperations.TrailingZeroCount(rest);
                if (Windows.WindowOf(w.Addresses[k]) == window) same |= 1u << k;
            }
            left &= ~same;
            if (window == 0)
            {
                GlobalPort.Resolve(w, i, same, bytes, access);
                continue;
            }
            for (var rest = same; rest != 0; rest &= rest - 1)
                w.Addresses[BitOperations.TrailingZeroCount(rest)] -= window;
            One(w, i, same, Windows.SpaceOf(window), bytes, access);
        }
    }

    private static void Local(Warp w, uint mask, int bytes, Access access)
    {
        var (size, checks) = (w.Block.Launch.Kernel.LocalBytes, w.Block.Launch.Checks);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            var address = w.Addresses[k];
            if (address >= (ulong)size || bytes > size - (int)address)
                throw new LaneFault(FindingKind.OutOfBounds, k,
                    $"{bytes} bytes at {address} of {size} bytes of local memory");
            CheckAligned(address, bytes, k);
            var offset = (w.Index * Lanes.Count + k) * size + (int)address;
            w.Pointers[k] = w.Block.Local + offset;
            if (!checks) continue;
            var state = w.Block.LocalState + offset;
            if ((access & Access.Read) != 0 && !AllWritten(state, bytes))
                throw new LaneFault(FindingKind.Uninitialised, k,
                    $"reads {bytes} bytes at {address} of local memory that were never written");
            if ((access & Access.Write) != 0) new Span<byte>(state, bytes).Fill(ByteState.Written);
        }
    }

    private static void Param(Warp w, uint mask, int bytes, Access access)
    {
        var launch = w.Block.Launch;
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            var address = w.Addresses[k];
            var size = launch.Kernel.ParameterBytes;
            if (address >= (ulong)size || bytes > size - (int)address)
                throw new LaneFault(FindingKind.OutOfBounds, k,
                    $"{bytes} bytes at {address} of {size} bytes of parameters");
            if ((access & Access.Write) != 0) throw new LaneFault(FindingKind.OutOfBounds, k, "writes to parameters");
            CheckAligned(address, bytes, k);
            w.Pointers[k] = launch.Parameters + address;
        }
    }

    public static void CheckAligned(ulong address, int bytes, int lane)
    {
        if ((address & (ulong)(bytes - 1)) != 0)
        {
            throw new LaneFault(FindingKind.Misaligned, lane,
                $"{bytes} bytes at 0x{address:x}, which is no multiple of {bytes}");
        }
    }

    /// <summary>True if all bytes (1, 2, 4, 8 or 16) are written.</summary>
    public static bool AllWritten(byte* state, int bytes) => bytes switch
    {
        1 => *state == 1,
        2 => *(ushort*)state == 0x0101,
        4 => *(uint*)state == 0x0101_0101,
        8 => *(ulong*)state == 0x0101_0101_0101_0101,
        _ => ((ulong*)state)[0] == 0x0101_0101_0101_0101 && ((ulong*)state)[1] == 0x0101_0101_0101_0101,
    };

    public static void SetWritten(byte* state, int bytes)
    {
        switch (bytes)
        {
            case 1:
                *state = 1;
                break;
            case 2:
                *(ushort*)state = 0x0101;
                break;
            case 4:
                *(uint*)state = 0x0101_0101;
                break;
            case 8:
                *(ulong*)state = 0x0101_0101_0101_0101;
                break;
            default:
                ((ulong*)state)[0] = ((ulong*)state)[1] = 0x0101_0101_0101_0101;
                break;
        }
    }
}
