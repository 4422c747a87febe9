using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// atom and red on global and shared memory, lane by lane; blocks that run at the same time meet in compare-and-swap.
/// Source: PTX ISA 8.4, section 9.7.13.5.
/// </summary>
internal static unsafe class Atomics
{
    public static readonly (string, Action<Decoder>)[] Families = [("atom", Atom), ("red", Reduction)];

    private enum Operation
    {
        Exchange, Swap, Add, Increment, Decrement, Min, Max, And, Or, Xor,
    }

    private static void Atom(Decoder d) => Decode(d, 1);

    private static void Reduction(Decoder d)
    {
        if (d.Has("async")) throw d.Refuse("is not supported");
        Decode(d, 0);
    }

    private static void Decode(Decoder d, int address)
    {
        if (d.Type.Packed || d.Type.Kind == 'h' || d.Type.Bits < 32 || d.Has("v2") || d.Has("v4"))
            throw d.Refuse("is not supported");
        var i = d.Ins;
        i.Class = InstructionClass.Atomic;
        i.Space = LoadsAndStores.SpaceOf(d);
        i.Size = d.Type.Bits / 8;
        d.Address(address);
        i.D = address == 1 ? d.Destination(0, d.Type) : -1;
        i.B = d.Source(address + 1, d.Type);
        i.C = d.OperandCount > address + 2 ? d.Source(address + 2, d.Type) : i.B;
        i.E = (int)(d.Parts.Select(p => p switch
        {
            "exch" => Operation.Exchange, "cas" => Operation.Swap, "add" => Operation.Add, "inc" => Operation.Increment,
            "dec" => Operation.Decrement, "min" => Operation.Min, "max" => Operation.Max, "and" => Operation.And,
            "or" => Operation.Or, "xor" => Operation.Xor, _ => (Operation?)null,
        }).FirstOrDefault(o => o is not null) ?? throw d.Refuse("is not supported"));
        i.Step = (d.Type.Kind, d.Type.Bits) switch
        {
            ('f', 32) => &Run32<Singles>,
            ('f', 64) => &Run64<Doubles>,
            ('s', 32) => &Run32<Signed>,
            ('s', 64) => &Run64<SignedLong>,
            (_, 32) => &Run32<Unsigned>,
            _ => &Run64<UnsignedLong>,
        };
    }

    private interface INumbers<T>
    {
        static abstract T Do(Operation operation, T old, T b);
    }

    private static void Run32<TNumbers>(Warp w, Instruction i, uint mask)
        where TNumbers : struct, INumbers<uint>
    {
        MemoryPort.Resolve(w, i, mask, Access.Read | Access.Write | Access.Atomic);
        uint* b = w.At<uint>(i.B), c = w.At<uint>(i.C);
        var operation = (Operation)i.E;
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            ref var place = ref *(uint*)w.Pointers[k];
            uint old;
            do
            {
                old = Volatile.Read(ref place);
                var next = operation == Operation.Swap ? old == b[k] ? c[k] : old : TNumbers.Do(operation, old, b[k]);
                if (Interlocked.CompareExchange(ref place, next, old) == old) break;
            }
            while (true);
            if (i.D >= 0) ((uint*)(w.Registers + i.D))[k] = old;
        }
    }

    private static void Run64<TNumbers>(Warp w, Instruction i, uint mask)
        where TNumbers : struct, INumbers<ulong>
    {
        MemoryPort.Resolve(w, i, mask, Access.Read | Access.Write | Access.Atomic);
        ulong* b = w.At<ulong>(i.B), c = w.At<ulong>(i.C);
        var operation = (Operation)i.E;
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            ref var place = ref *(ulong*)w.Pointers[k];
            ulong old;
            do
            {
                old = Volatile.Read(ref place);
                var next = operation == Operation.Swap ? old == b[k] ? c[k] : old : TNumbers.Do(operation, old, b[k]);
                if (Interlocked.CompareExchange(ref place, next, old) == old) break;
            }
            while (true);
            if (i.D >= 0) ((ulong*)(w.Registers + i.D))[k] = old;
        }
    }

    private static T Integer<T>(Operation operation, T old, T b)
        where T : IBinaryInteger<T> => operation switch
        {
            Operation.Exchange => b,
            Operation.Add => unchecked(old + b),
            Operation.Increment => old >= b ? T.Zero : old + T.One,
            Operation.Decrement => T.IsZero(old) || old > b ? b : old - T.One,
            Operation.Min => old < b ? old : b,
            Operation.Max => old > b ? old : b,
            Operation.And => old & b,
            Operation.Or => old | b,
            _ => old ^ b,
        };

    private struct Unsigned : INumbers<uint>
    {
        public static uint Do(Operation operation, uint old, uint b) => Integer(operation, old, b);
    }

    private struct Signed : INumbers<uint>
    {
        public static uint Do(Operation operation, uint old, uint b) => (uint)Integer(operation, (int)old, (int)b);
    }

    private struct UnsignedLong : INumbers<ulong>
    {
        public static ulong Do(Operation operation, ulong old, ulong b) => Integer(operation, old, b);
    }

    private struct SignedLong : INumbers<ulong>
    {
        public static ulong Do(Operation operation, ulong old, ulong b) =>
            (ulong)Integer(operation, (long)old, (long)b);
    }

    /// <summary>
    /// Of float32 the hardware adds only; subnormal numbers are zeros to atomics on global memory there, not here.
    /// </summary>
    private struct Singles : INumbers<uint>
    {
        public static uint Do(Operation operation, uint old, uint b) => operation == Operation.Exchange ? b
            : BitConverter.SingleToUInt32Bits(
                Floats.Canonical(BitConverter.UInt32BitsToSingle(old) + BitConverter.UInt32BitsToSingle(b)));
    }

    private struct Doubles : INumbers<ulong>
    {
        public static ulong Do(Operation operation, ulong old, ulong b) => operation == Operation.Exchange ? b
            : BitConverter.DoubleToUInt64Bits(
                BitConverter.UInt64BitsToDouble(old) + BitConverter.UInt64BitsToDouble(b));
    }
}
