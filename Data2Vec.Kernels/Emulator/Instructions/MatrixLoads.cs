using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// ldmatrix: one, two or four matrices of 8 x 8 elements of 16 bits. Lane 8 m + r has the address of row r of matrix m;
/// lane l gets the elements 2 (l mod 4) and the next of row l / 4, or with .trans of column l / 4. Source: PTX ISA 8.4,
/// section 9.7.14.5.15.
/// </summary>
internal static unsafe class MatrixLoads
{
    private const int RowBytes = 16;

    public static readonly (string, Action<Decoder>)[] Families = [("ldmatrix", Decode)];

    private static void Decode(Decoder d)
    {
        if (!d.Has("m8n8") || !d.Has("b16") || LoadsAndStores.SpaceOf(d) == PtxSpace.Global)
            throw d.Refuse("is not supported");
        var i = d.Ins;
        var word = new PtxType('b', 32);
        var parts = d.Operand(0).Kind == PtxOperandKind.Vector ? d.Operand(0).Parts : [d.Operand(0)];
        i.Count = d.Has("x4") ? 4 : d.Has("x2") ? 2 : 1;
        if (parts.Count != i.Count)
            throw new PtxException(d.Statement.Line, $"{d.Statement.Opcode} has {parts.Count} registers.");
        i.More = [.. parts.Select(p => d.Destination(p, word))];
        d.Address(1);
        i.Space = LoadsAndStores.SpaceOf(d);
        i.Flow = Flow.WholeWarp;
        i.Class = InstructionClass.Shared;
        i.Size = 0;
        i.Signed = d.Has("trans");
        i.Step = &Run;
    }

    private static void Run(Warp w, Instruction i, uint mask)
    {
        MemoryPort.ComputeAddresses(w, i, mask);
        var addresses = i.Count == 4 ? uint.MaxValue : (1u << (8 * i.Count)) - 1;
        MemoryPort.Resolve(w, i, addresses, i.Space, RowBytes, Access.Read);
        for (var m = 0; m < i.Count; m++)
        {
            var d = (uint*)(w.Registers + i.More[m]);
            var rows = w.Pointers + 8 * m;
            for (var lane = 0; lane < Lanes.Count; lane++)
            {
                var (line, pair) = (lane >> 2, (lane & 3) * 2);
                d[lane] = i.Signed
                    ? ((ushort*)rows[pair])[line] | (uint)((ushort*)rows[pair + 1])[line] << 16
                    : ((uint*)rows[line])[pair >> 1];
            }
        }
    }
}
