using System.Runtime.CompilerServices;
using Data2Vec.Kernels.Ilgpu;
using ILGPU;
using ILGPU.Runtime;
using Tile = Data2Vec.Kernels.Ilgpu.AttentionTile;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Attention(in AttentionArgs a)
    {
        RefuseLargeHeads("Attention", a.HeadSize, Math.Max(Math.Max(a.QRow, a.KRow), Math.Max(a.VRow, a.ORow)));
        if (a.Q.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.Q.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("Attention", a.Q.DType);

        void Run<T>(in AttentionArgs a)
            where T : unmanaged, IElement<T>
        {
            var threads = Tile.Threads(a.Queries);
            var tiles = (a.Queries + threads / 2 - 1) / (threads / 2);
            var groups = new Index3D(checked(tiles * a.Heads * a.Batch), 1, 1);
            var one = a.HeadSize <= Tile.Piece;
            // Probabilities are written afterwards, from the scores once more and the sums of the first pass.
            var sums = a.LogSumExp.IsNone && !a.Probabilities.IsNone
                ? pool.Allocate((long)a.Batch * a.Heads * a.Queries * sizeof(float)) : null;
            var args = new AttentionKernelArgs<T>
            {
                Scores = AttentionScores<T>.Of(a.KeyMask, a.Bias, a.Slopes, a.Dropout, a.Batch, a.Heads, a.Queries, a.Keys,
                    a.HeadSize, a.Scale),
                Q = View<T>(a.Q), K = View<T>(a.K), V = View<T>(a.V), O = View<T>(a.O),
                LogSumExp = sums is null ? View<float>(a.LogSumExp) : sums.View.Cast<float>(),
                Probabilities = View<T>(a.Probabilities),
                QRow = (int)a.QRow, KRow = (int)a.KRow, VRow = (int)a.VRow, ORow = (int)a.ORow, Tiles = tiles,
                WholeQ = WholeHeads(a.Q, a.QRow, a.HeadSize), WholeK = WholeHeads(a.K, a.KRow, a.HeadSize),
                WholeV = WholeHeads(a.V, a.VRow, a.HeadSize), WholeO = WholeHeads(a.O, a.ORow, a.HeadSize),
            };
            Launch(one ? AttentionKernels<T, OnePiece>.Forward : AttentionKernels<T, TwoPieces>.Forward, groups, threads, args);
            if (a.Probabilities.IsNone) return;
            Launch(one ? AttentionProbabilityKernels<T, OnePiece>.Forward : AttentionProbabilityKernels<T, TwoPieces>.Forward,
                groups, threads, args);
            if (sums is not null) pool.Free(sums);
        }
    }

    /// <summary>1 when every head of every position begins at a multiple of four elements and is whole units long.</summary>
    private static int WholeHeads(BufferView view, long row, int headSize) =>
        view.Offset % 4 == 0 && row % 4 == 0 && headSize % 4 == 0 ? 1 : 0;

    private static void RefuseLargeHeads(string op, int headSize, long row)
    {
        if (headSize > 2 * Tile.Piece)
        {
            throw new NotSupportedException(
                $"{op}: the ilgpu backend has kernels for heads of at most {2 * Tile.Piece} elements; got {headSize}.");
        }
        // Offsets inside of a tile of 64 rows are 32-bit numbers.
        if (row <= int.MaxValue / Tile.MostThreads) return;
        throw new NotSupportedException(
            $"{op}: positions may be at most {int.MaxValue / Tile.MostThreads} elements apart on the ilgpu backend; got {row}.");
    }
}

/// <summary>Operands as in <see cref="AttentionArgs"/>.</summary>
internal struct AttentionKernelArgs<T>
    where T : unmanaged, IElement<T>
{
    public AttentionScores<T> Scores;
    public ArrayView<T> Q, K, V, O, Probabilities;
    public ArrayView<float> LogSumExp;
    public int QRow, KRow, VRow, ORow;

    /// <summary>Tiles of queries of one head.</summary>
    public int Tiles;

    /// <summary>1 = heads can be read and written in units of four elements.</summary>
    public int WholeQ, WholeK, WholeV, WholeO;
}

internal static class AttentionKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        .. Of<Full, OnePiece>(), .. Of<Full, TwoPieces>(), .. Of<Brain, OnePiece>(), .. Of<Brain, TwoPieces>(),
        AttentionProductKernels<Full>.Backward, AttentionProductKernels<Brain>.Backward, AttentionSlopeKernels<Full>.Backward,
        AttentionSlopeKernels<Brain>.Backward,
    ];

    private static IEnumerable<KernelSource> Of<T, TPieces>()
        where T : unmanaged, IElement<T>
        where TPieces : unmanaged, IHeadPieces =>
    [
        AttentionKernels<T, TPieces>.Forward, AttentionProbabilityKernels<T, TPieces>.Forward,
        AttentionQueryKernels<T, TPieces>.Backward, AttentionKeyKernels<T, TPieces>.Backward,
        AttentionBiasKernels<T, TPieces>.Backward,
    ];
}

/// <summary>
/// One group per tile of 64 queries of a head: tiles of 32 keys and values pass through shared memory, a running maximum and
/// sum per query rescale what the block of outputs holds. Nothing of Tq x Tk is ever in memory.
/// Source: Dao et al., "FlashAttention" (2022); Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018).
/// </summary>
internal static class AttentionKernels<T, TPieces>
    where T : unmanaged, IElement<T>
    where TPieces : unmanaged, IHeadPieces
{
    public static readonly KernelSource<AttentionKernelArgs<T>> Forward = new(
        $"attention_fwd {KernelNames.Of<T>()} {default(TPieces).Count * Tile.Piece}", Apply, Tile.MostThreads,
        default(TPieces).Count > 1 ? 2 : 4);

    private static void Apply(AttentionKernelArgs<T> a)
    {
        var q = SharedMemory.Allocate<Quad>(Tile.RowsUnits);
        var k = SharedMemory.Allocate<Quad>(Tile.ColumnsUnits);
        var v = SharedMemory.Allocate<Quad>(Tile.ColumnsUnits);
        var p = SharedMemory.Allocate<Quad>(Tile.ScoreUnits);
        var two = default(TPieces).Count > 1;
        var s = a.Scores;
        var head = Grid.IdxX / a.Tiles;
        var (b, h) = (head / s.Heads, head % s.Heads);
        var first = (Grid.IdxX - head * a.Tiles) * Tile.Rows;
        var rows = IntrinsicMath.Min(Tile.Rows, s.Queries - first);
        // Rows behind the last query are computed by nobody: a warp without any only helps to load.
        var works = Tile.WarpRow < rows;
        var firstQ = ((long)b * s.Queries + first) * a.QRow + (long)h * s.HeadSize;
        var columns = two ? Tile.Piece : s.HeadSize;
        var more = s.HeadSize - Tile.Piece;
        var slope = s.Slope(h);
        var bias = s.BiasRow(h, first);
        var (o0, o1) = (default(WideBlock), default(WideBlock));
        var (m0, m1, m2, m3) = (float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity);
        var (l0, l1, l2, l3) = (0f, 0f, 0f, 0f);
        if (!two) Tile.Load(q, a.Q, firstQ, a.QRow, rows, Tile.Rows, columns, s.Scale, a.WholeQ);
        for (var j = 0; j < s.Keys; j += Tile.Columns)
        {
            var there = IntrinsicMath.Min(Tile.Columns, s.Keys - j);
            var firstK = ((long)b * s.Keys + j) * a.KRow + (long)h * s.HeadSize;
            var firstV = ((long)b * s.Keys + j) * a.VRow + (long)h * s.HeadSize;
            if (two) Tile.Load(q, a.Q, firstQ, a.QRow, rows, Tile.Rows, Tile.Piece, s.Scale, a.WholeQ);
            Tile.Load(k, a.K, firstK, a.KRow, there, Tile.Columns, columns, 1, a.WholeK);
            Tile.Load(v, a.V, firstV, a.VRow, there, Tile.Columns, columns, 1, a.WholeV);
            Group.Barrier();
            var x = default(Block);
            if (works) x = Tile.AddScores(x, q, k, (columns + 3) >> 2);
            if (two)
            {
                Group.Barrier();
                Tile.Load(q, a.Q, firstQ + Tile.Piece, a.QRow, rows, Tile.Rows, more, s.Scale, a.WholeQ);
                Tile.Load(k, a.K, firstK + Tile.Piece, a.KRow, there, Tile.Columns, more, 1, a.WholeK);
                Group.Barrier();
                if (works) x = Tile.AddScores(x, q, k, (more + 3) >> 2);
            }
            if (works)
            {
                var (y, c) = (Tile.Y * 4, j + Tile.X * 4);
                var alive = s.Alive(b, c);
                var keep = s.KeepBits(b, h, first + Tile.WarpRow, j);
                x.R0 = s.Finish(x.R0, bias, first, y, 0, c, slope, alive);
                x.R1 = s.Finish(x.R1, bias, first, y + 1, 0, c, slope, alive);
                x.R2 = s.Finish(x.R2, bias, first, y + 2, 0, c, slope, alive);
                x.R3 = s.Finish(x.R3, bias, first, y + 3, 0, c, slope, alive);
                var r0 = Shares(ref x.R0, ref m0, ref l0, AttentionScores<T>.KeptOf(keep, 0));
                var r1 = Shares(ref x.R1, ref m1, ref l1, AttentionScores<T>.KeptOf(keep, 1));
                var r2 = Shares(ref x.R2, ref m2, ref l2, AttentionScores<T>.KeptOf(keep, 2));
                var r3 = Shares(ref x.R3, ref m3, ref l3, AttentionScores<T>.KeptOf(keep, 3));
                o0 = Rescaled(o0, r0, r1, r2, r3);
                if (two) o1 = Rescaled(o1, r0, r1, r2, r3);
                Tile.StoreScores(p, x);
                Warp.Barrier();
                o0 = Tile.AddOutputs(o0, p, v, (there + 3) >> 2, columns);
            }
            Group.Barrier();
            if (two)
            {
                Tile.Load(v, a.V, firstV + Tile.Piece, a.VRow, there, Tile.Columns, more, 1, a.WholeV);
                Group.Barrier();
                if (works) o1 = Tile.AddOutputs(o1, p, v, (there + 3) >> 2, more);
                Group.Barrier();
            }
        }
        if (!works) return;
        (l0, l1, l2, l3) = (Tile.RowSum(l0), Tile.RowSum(l1), Tile.RowSum(l2), Tile.RowSum(l3));
        // A query without any key has the sum 0, and zeros.
        var kept = s.Dropout.KeptScale;
        var factors = new Quad
        {
            A = l0 == 0 ? 0 : kept / l0, B = l1 == 0 ? 0 : kept / l1, C = l2 == 0 ? 0 : kept / l2, D = l3 == 0 ? 0 : kept / l3,
        };
        var firstO = ((long)b * s.Queries + first) * a.ORow + (long)h * s.HeadSize;
        Tile.StoreOutputs(a.O, firstO, a.ORow, o0, factors, rows, columns, a.WholeO);
        if (two) Tile.StoreOutputs(a.O, firstO + Tile.Piece, a.ORow, o1, factors, rows, more, a.WholeO);
        if (a.LogSumExp.Length == 0 || Tile.X != 0) return;
        var row = (long)head * s.Queries + first;
        var y0 = Tile.Y * 4;
        if (y0 < rows) a.LogSumExp[row + y0] = LogSum(m0, l0);
        if (y0 + 1 < rows) a.LogSumExp[row + y0 + 1] = LogSum(m1, l1);
        if (y0 + 2 < rows) a.LogSumExp[row + y0 + 2] = LogSum(m2, l2);
        if (y0 + 3 < rows) a.LogSumExp[row + y0 + 3] = LogSum(m3, l3);
    }

    private static float LogSum(float max, float sum) => sum == 0 ? float.NegativeInfinity : max + DeviceMath.Log(sum);

    /// <summary>
    /// Four scores to exponentials above the row's running maximum, those that dropout keeps; the new maximum, this thread's
    /// part of the sum, and the factor for what came before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Shares(ref Quad share, ref float max, ref float sum, uint kept)
    {
        var s = share;
        var larger = Tile.Larger(Tile.RowMax(Tile.Larger(Tile.Larger(s.A, s.B), Tile.Larger(s.C, s.D))), max);
        // While a row has met no key there is nothing to subtract: -inf - -inf is no number.
        var shift = larger == float.NegativeInfinity ? 0 : larger;
        var factor = Tile.Exp(max - shift);
        s = new Quad { A = Tile.Exp(s.A - shift), B = Tile.Exp(s.B - shift), C = Tile.Exp(s.C - shift), D = Tile.Exp(s.D - shift) };
        sum = sum * factor + (s.A + s.B + (s.C + s.D));
        max = larger;
        share = AttentionScores<T>.Chosen(s, kept, 0);
        return factor;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static WideBlock Rescaled(WideBlock o, float r0, float r1, float r2, float r3)
    {
        o.Lower.R0 *= r0;
        o.Lower.R1 *= r1;
        o.Lower.R2 *= r2;
        o.Lower.R3 *= r3;
        o.Upper.R0 *= r0;
        o.Upper.R1 *= r1;
        o.Upper.R2 *= r2;
        o.Upper.R3 *= r3;
        return o;
    }
}
