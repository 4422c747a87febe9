using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// cp.async and its groups. The bytes are taken when the copy is given out and land when a wait covers its group, not
/// earlier: until then whoever reads them is told so. Source: PTX ISA 8.4, section 9.7.9.25.
/// </summary>
internal static unsafe class AsyncCopies
{
    public static readonly (string, Action<Decoder>)[] Families = [("cp", Decode)];

    private static void Decode(Decoder d)
    {
        if (!d.Has("async") || d.Has("bulk") || d.Has("mbarrier")) throw d.Refuse("is not supported");
        var i = d.Ins;
        if (d.Has("commit_group"))
        {
            i.Class = InstructionClass.Control;
            i.Step = &Commit;
        }
        else if (d.Has("wait_group") || d.Has("wait_all"))
        {
            i.Class = InstructionClass.Control;
            i.Value = d.Has("wait_all") ? -1 : d.Immediate(0);
            i.Step = &Wait;
        }
        else
        {
            d.Address(1);
            (i.B, i.Signed, i.More) = (i.A, i.WideA, [(int)i.Value]);
            d.Address(0);
            i.Class = InstructionClass.Global;
            i.Space = PtxSpace.Shared;
            i.Size = (int)d.Immediate(2);
            if (i.Size is not (4 or 8 or 16) || (d.Has("cg") && i.Size != 16))
                throw d.Refuse("of this size is not supported");
            i.C = -1;
            i.E = -1;
            if (d.OperandCount > 3 && !d.Has("L2::cache_hint"))
            {
                // Bytes of the source, the rest are zeros; or a predicate by which all are.
                if (d.Operand(3).Kind == PtxOperandKind.Name && d.BitsOf(d.Operand(3).Name) == 1)
                    (i.E, i.Members) = Ignored(d);
                else i.C = d.Source(3, new PtxType('u', 32));
            }
            i.Step = &Copy;
        }
    }

    private static (int Offset, int Flip) Ignored(Decoder d)
    {
        var (offset, flip) = d.Predicate(3);
        return (offset, (int)flip);
    }

    private static void Copy(Warp w, Instruction i, uint mask)
    {
        var source = stackalloc ulong[Lanes.Count];
        var taken = stackalloc int[Lanes.Count];
        var ignored = i.E >= 0 ? w.Predicate(i.E) ^ (uint)i.Members : 0;
        uint reads = 0;
        for (var k = 0; k < Lanes.Count; k++)
        {
            source[k] = (i.Signed ? w.At<ulong>(i.B)[k] : w.At<uint>(i.B)[k]) + (ulong)i.More[0];
            taken[k] = (ignored >> k & 1) != 0 ? 0
                : i.C >= 0 ? (int)Math.Min(w.At<uint>(i.C)[k], (uint)i.Size) : i.Size;
            if (taken[k] > 0 && (mask >> k & 1) != 0) reads |= 1u << k;
        }
        // Where it goes to: the bytes are taken from other threads now, and land later.
        MemoryPort.Resolve(w, i, mask, Access.Write | Access.Async);
        var targets = stackalloc int[Lanes.Count];
        for (var k = 0; k < Lanes.Count; k++) targets[k] = (int)w.Addresses[k];
        for (var k = 0; k < Lanes.Count; k++) w.Addresses[k] = source[k];
        if (reads != 0) ResolveSource(w, i, reads, taken);
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            w.Copies.Add(k, targets[k], i.Size, taken[k] > 0 ? w.Pointers[k] : null, taken[k]);
        }
    }

    /// <summary>Whole sources at once; those that are cut short byte by byte, since any length may come.</summary>
    private static void ResolveSource(Warp w, Instruction i, uint reads, int* taken)
    {
        uint whole = 0;
        for (var rest = reads; rest != 0; rest &= rest - 1)
        {
            var k = BitOperations.TrailingZeroCount(rest);
            if (taken[k] == i.Size) whole |= 1u << k;
        }
        if (whole != 0) GlobalPort.Resolve(w, i, whole, i.Size, Access.Read);
        for (var rest = reads & ~whole; rest != 0; rest &= rest - 1)
        {
            var k = BitOperations.TrailingZeroCount(rest);
            MemoryPort.CheckAligned(w.Addresses[k], i.Size, k);
            for (var n = taken[k] - 1; n >= 0; n--)
            {
                w.Addresses[k] += (ulong)n;
                GlobalPort.Resolve(w, i, 1u << k, 1, Access.Read);
                w.Addresses[k] -= (ulong)n;
            }
        }
    }

    private static void Commit(Warp w, Instruction i, uint mask) => w.Copies.Commit(mask);

    private static void Wait(Warp w, Instruction i, uint mask)
    {
        if (i.Value < 0) w.Copies.Commit(mask);
        w.Copies.Land(w, mask, (int)Math.Max(0, i.Value));
    }
}
