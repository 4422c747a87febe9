using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// mma.sync: D = A B + C of a warp. A product of two operands is exact in double; the sum over k and C is taken in
/// double and rounded to float32 once. The hardware's own order and cut-offs are not documented, and differ by
/// generation: a kernel's tolerance has to hold for both. Fragments: PTX ISA 8.4, section 9.7.14.5; with g = lane / 4
/// and t = lane mod 4, a register of A holds row g (+ 8), columns 2t and 2t + 1 (+ 8), of tf32 column t (+ 4).
/// </summary>
internal static unsafe class Matrices
{
    public static readonly (string, Action<Decoder>)[] Families = [("mma", Decode)];

    /// <summary>Sizes of A's columns, and how elements lie in registers.</summary>
    private static void Decode(Decoder d)
    {
        var i = d.Ins;
        var (a, b) = d.Types.Length == 4 ? (d.Types[1], d.Types[2]) : throw d.Refuse("is not supported");
        if (!d.Has("row") || !d.Has("col") || a != b || d.Types[0] is not { Kind: 'f', Bits: 32, Packed: false }
            || d.Types[3] != d.Types[0]) throw d.Refuse("is not supported");
        var halves = a is { Bits: 16 };
        i.Size = (d.Parts.FirstOrDefault(p => p.StartsWith("m16n8k", StringComparison.Ordinal)), a.Kind) switch
        {
            ("m16n8k16", 'h' or 'f') when halves => 16,
            ("m16n8k8", 'h' or 'f') when halves => 8,
            ("m16n8k8", 't') => 8,
            ("m16n8k4", 't') => 4,
            _ => throw d.Refuse("is not supported"),
        };
        var word = new PtxType('b', 32);
        int[] Offsets(int operand, int count, bool target)
        {
            var o = d.Operand(operand);
            var parts = o.Kind == PtxOperandKind.Vector ? o.Parts : [o];
            if (parts.Count != count)
                throw new PtxException(
                    d.Statement.Line, $"{d.Statement.Opcode}: operand {operand + 1} has {parts.Count} registers.");
            return [.. parts.Select(p => target ? d.Destination(p, word) : d.Source(p, word))];
        }
        var perColumn = halves ? 8 : 4;
        i.Count = i.Size / perColumn;
        i.More = [.. Offsets(0, 4, true), .. Offsets(1, 2 * i.Count, false), .. Offsets(2, i.Count, false),
            .. Offsets(3, 4, false)];
        i.Flow = Flow.WholeWarp;
        i.Class = InstructionClass.Matrix;
        i.Step = (halves, a.Kind) switch
        {
            (true, 'h') => &Run<Bfloat16>,
            (true, _) => &Run<Float16>,
            _ => &Run<Tf32>,
        };
    }

    private interface IElements
    {
        /// <summary>Elements in a register.</summary>
        static abstract int Count { get; }

        static abstract float Read(uint register, int part);
    }

    private struct Bfloat16 : IElements
    {
        public static int Count => 2;

        public static float Read(uint register, int part) => HalfFormats.FromBfloat16(register >> (16 * part) & 0xffff);
    }

    private struct Float16 : IElements
    {
        public static int Count => 2;

        public static float Read(uint register, int part) => HalfFormats.FromFloat16(register >> (16 * part) & 0xffff);
    }

    private struct Tf32 : IElements
    {
        public static int Count => 1;

        public static float Read(uint register, int part) => HalfFormats.FromTf32(register);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TElements>(Warp w, Instruction i, uint mask)
        where TElements : struct, IElements
    {
        var depth = i.Size;
        var a = stackalloc double[16 * 16];
        var b = stackalloc double[16 * 8];
        var each = TElements.Count;
        for (var lane = 0; lane < Lanes.Count; lane++)
        {
            var (g, t) = (lane >> 2, lane & 3);
            for (var n = 0; n < 2 * i.Count; n++)
            {
                var register = ((uint*)(w.Registers + i.More[4 + n]))[lane];
                var (row, column) = (g + 8 * (n & 1), t * each + 4 * each * (n >> 1));
                for (var e = 0; e < each; e++) a[row * depth + column + e] = TElements.Read(register, e);
            }
            for (var n = 0; n < i.Count; n++)
            {
                var register = ((uint*)(w.Registers + i.More[4 + 2 * i.Count + n]))[lane];
                for (var e = 0; e < each; e++) b[(t * each + 4 * each * n + e) * 8 + g] = TElements.Read(register, e);
            }
        }
        var sums = stackalloc double[16 * 8];
        var c = i.More.AsSpan(4 + 3 * i.Count, 4);
        for (var n = 0; n < 4; n++)
        {
            var from = w.At<float>(c[n]);
            for (var lane = 0; lane < Lanes.Count; lane++) sums[Place(lane, n)] = from[lane];
        }
        for (var row = 0; row < 16; row++)
        {
            var (left, right) = (Vector256.Load(sums + 8 * row), Vector256.Load(sums + 8 * row + 4));
            for (var k = 0; k < depth; k++)
            {
                var x = Vector256.Create(a[row * depth + k]);
                left += x * Vector256.Load(b + 8 * k);
                right += x * Vector256.Load(b + 8 * k + 4);
            }
            left.Store(sums + 8 * row);
            right.Store(sums + 8 * row + 4);
        }
        for (var n = 0; n < 4; n++)
        {
            var d = w.At<float>(i.More[n]);
            for (var lane = 0; lane < Lanes.Count; lane++) d[lane] = Floats.Canonical((float)sums[Place(lane, n)]);
        }
    }

    /// <summary>Where the n-th register of a lane's C or D lies in a matrix of 16 rows and 8 columns.</summary>
    private static int Place(int lane, int n) => ((lane >> 2) + 8 * (n >> 1)) * 8 + 2 * (lane & 3) + (n & 1);
}
