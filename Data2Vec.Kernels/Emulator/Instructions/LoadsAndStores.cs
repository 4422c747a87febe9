using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// ld, ldu, st, of one value or a vector, and prefetch. Source: PTX ISA 8.4, section 9.7.9.8 and following.
/// </summary>
internal static unsafe class LoadsAndStores
{
    public static readonly (string, Action<Decoder>)[] Families =
    [
        ("ld", Load), ("ldu", Load), ("st", Store), ("prefetch", Hint), ("prefetchu", Hint), ("applypriority", Hint),
        ("discard", Hint), ("createpolicy", Policy),
    ];

    private static void Load(Decoder d)
    {
        if (IsOfCall(d, 1)) return;
        Describe(d);
        d.Address(1);
        Registers(d, d.Operand(0));
        var shortTarget = d.Ins.WideD ? false : TargetBits(d, d.Operand(0)) == 16;
        d.Ins.Next = (nint)In(d.Type, d.Ins.WideD, shortTarget);
        d.Ins.Step = d.Ins.Space == PtxSpace.Param && d.Operand(1).Name is { Length: > 0 } name && d.IsSymbol(name)
            ? &RunUniform : &RunLoad;
    }

    private static void Store(Decoder d)
    {
        if (IsOfCall(d, 0)) return;
        Describe(d);
        d.Address(0);
        Registers(d, d.Operand(1));
        d.Ins.Next = (nint)Out(d.Type, d.Ins.WideD);
        d.Ins.Step = &RunStore;
    }

    /// <summary>Parameters of calls are not kept: the call itself is refused when it is met.</summary>
    private static bool IsOfCall(Decoder d, int address)
    {
        if (!d.Has("param") || d.Has("param::entry")) return false;
        var name = d.Operand(address).Name;
        if (name.Length == 0 || d.BitsOf(name) != 0 || d.IsSymbol(name)) return false;
        d.Ins.Step = &Nothing;
        return true;
    }

    private static void Hint(Decoder d) => d.Ins.Step = &Nothing;

    private static void Policy(Decoder d)
    {
        d.Ins.D = d.Destination(0, d.Type);
        d.Ins.Step = &Nothing;
    }

    private static void Nothing(Warp w, Instruction i, uint mask)
    {
    }

    /// <summary>Space, size, count and kind of access, from the opcode.</summary>
    private static void Describe(Decoder d)
    {
        var i = d.Ins;
        i.Size = d.Type.Bits / 8;
        i.Count = d.Has("v2") ? 2 : d.Has("v4") ? 4 : 1;
        i.Space = SpaceOf(d);
        i.Extra = null;
        i.Signed = d.Has("volatile") || d.Has("relaxed") || d.Has("acquire") || d.Has("release");
        i.Class = i.Space switch
        {
            PtxSpace.Shared => InstructionClass.Shared,
            PtxSpace.Local => InstructionClass.Local,
            PtxSpace.Param => InstructionClass.Param,
            _ => InstructionClass.Global,
        };
    }

    public static PtxSpace SpaceOf(Decoder d)
    {
        foreach (var part in d.Parts)
        {
            switch (part)
            {
                case "global":
                    return PtxSpace.Global;
                case "const":
                    return PtxSpace.Const;
                case "shared" or "shared::cta":
                    return PtxSpace.Shared;
                case "local":
                    return PtxSpace.Local;
                case "param" or "param::entry":
                    return PtxSpace.Param;
            }
        }
        return PtxSpace.Generic;
    }

    /// <summary>Data registers, of which all have the same width.</summary>
    private static void Registers(Decoder d, PtxOperand operand)
    {
        var parts = operand.Kind == PtxOperandKind.Vector ? operand.Parts : [operand];
        if (parts.Count != d.Ins.Count)
            throw new PtxException(d.Statement.Line, $"{d.Statement.Opcode} has {parts.Count} registers.");
        var wide = parts.Any(p => d.Loose(p, d.Type).Wide);
        d.Ins.WideD = wide;
        d.Ins.More = [.. parts.Select(p => p.Kind == PtxOperandKind.Name && p.Name == "_"
            ? d.Destination(p, d.Type with { Bits = wide ? 64 : 32 })
            : d.Loose(p, wide && p.Kind == PtxOperandKind.Number ? new PtxType(d.Type.Kind, 64) : d.Type).Offset)];
    }

    private static int TargetBits(Decoder d, PtxOperand operand) =>
        d.BitsOf(operand.Kind == PtxOperandKind.Vector ? operand.Parts[0].Name : operand.Name);

    private static void RunLoad(Warp w, Instruction i, uint mask)
    {
        MemoryPort.Resolve(w, i, mask, i.Signed ? Access.Read | Access.Atomic : Access.Read);
        var move = (delegate*<byte**, byte*, int, uint, void>)i.Next;
        for (var n = 0; n < i.More.Length; n++) move(w.Pointers, w.Registers + i.More[n], n * i.Size, mask);
    }

    /// <summary>A parameter at a constant address: one check for all lanes.</summary>
    private static void RunUniform(Warp w, Instruction i, uint mask)
    {
        var lane = BitOperations.TrailingZeroCount(mask);
        MemoryPort.ComputeAddresses(w, i, mask);
        MemoryPort.Resolve(w, i, 1u << lane, PtxSpace.Param, i.Size * i.Count, Access.Read);
        var pointer = w.Pointers[lane];
        for (var k = 0; k < Lanes.Count; k++) w.Pointers[k] = pointer;
        var move = (delegate*<byte**, byte*, int, uint, void>)i.Next;
        for (var n = 0; n < i.More.Length; n++) move(w.Pointers, w.Registers + i.More[n], n * i.Size, mask);
    }

    private static void RunStore(Warp w, Instruction i, uint mask)
    {
        MemoryPort.Resolve(w, i, mask, i.Signed ? Access.Write | Access.Atomic : Access.Write);
        var move = (delegate*<byte**, byte*, int, uint, void>)i.Next;
        for (var n = 0; n < i.More.Length; n++) move(w.Pointers, w.Registers + i.More[n], n * i.Size, mask);
    }

    /// <summary>What a lane stores, as bytes.</summary>
    public static void Stored(Warp w, Instruction i, int lane, byte* bytes)
    {
        var pointers = stackalloc byte*[Lanes.Count];
        pointers[lane] = bytes;
        var move = (delegate*<byte**, byte*, int, uint, void>)i.Next;
        for (var n = 0; n < i.More.Length; n++) move(pointers, w.Registers + i.More[n], n * i.Size, 1u << lane);
    }

    private static delegate*<byte**, byte*, int, uint, void> In(PtxType type, bool wide, bool shortTarget) =>
        (type.Signed, type.Bits, wide) switch
        {
            (true, 8, false) => shortTarget ? &ReadIn<byte, SignedByteOfShort, uint> : &ReadIn<sbyte, Plain, uint>,
            (true, 8, true) => &ReadIn<sbyte, Plain, ulong>,
            (false, 8, false) => &ReadIn<byte, Plain, uint>,
            (false, 8, true) => &ReadIn<byte, Plain, ulong>,
            (true, 16, false) => shortTarget ? &ReadIn<ushort, Plain, uint> : &ReadIn<short, Plain, uint>,
            (true, 16, true) => &ReadIn<short, Plain, ulong>,
            (false, 16, false) => &ReadIn<ushort, Plain, uint>,
            (false, 16, true) => &ReadIn<ushort, Plain, ulong>,
            (_, 32, false) => &ReadIn<uint, Plain, uint>,
            (true, 32, true) => &ReadIn<int, Plain, ulong>,
            (false, 32, true) => &ReadIn<uint, Plain, ulong>,
            _ => &ReadIn<ulong, Plain, ulong>,
        };

    private static delegate*<byte**, byte*, int, uint, void> Out(PtxType type, bool wide) => (type.Bits, wide) switch
    {
        (8, false) => &WriteOut<byte, uint>,
        (8, true) => &WriteOut<byte, ulong>,
        (16, false) => &WriteOut<ushort, uint>,
        (16, true) => &WriteOut<ushort, ulong>,
        (32, false) => &WriteOut<uint, uint>,
        (32, true) => &WriteOut<uint, ulong>,
        _ => &WriteOut<ulong, ulong>,
    };

    private interface IChange
    {
        static abstract uint Do(uint x);
    }

    private struct Plain : IChange
    {
        public static uint Do(uint x) => x;
    }

    private struct SignedByteOfShort : IChange
    {
        public static uint Do(uint x) => (ushort)(sbyte)x;
    }

    private static void ReadIn<T, TChange, TSlot>(byte** pointers, byte* register, int offset, uint mask)
        where T : unmanaged, IBinaryInteger<T> where TChange : struct, IChange
            where TSlot : unmanaged, IBinaryInteger<TSlot>
    {
        var d = (TSlot*)register;
        if (mask == uint.MaxValue)
        {
            for (var k = 0; k < Lanes.Count; k++) d[k] = One<T, TChange, TSlot>(pointers[k] + offset);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = One<T, TChange, TSlot>(pointers[k] + offset);
        }
    }

    private static TSlot One<T, TChange, TSlot>(byte* pointer)
        where T : unmanaged, IBinaryInteger<T> where TChange : struct, IChange
            where TSlot : unmanaged, IBinaryInteger<TSlot> =>
        typeof(TChange) == typeof(Plain) ? TSlot.CreateTruncating(*(T*)pointer)
            : TSlot.CreateTruncating(TChange.Do(*pointer));

    private static void WriteOut<T, TSlot>(byte** pointers, byte* register, int offset, uint mask)
        where T : unmanaged, IBinaryInteger<T> where TSlot : unmanaged, IBinaryInteger<TSlot>
    {
        var d = (TSlot*)register;
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            *(T*)(pointers[k] + offset) = T.CreateTruncating(d[k]);
        }
    }
}
