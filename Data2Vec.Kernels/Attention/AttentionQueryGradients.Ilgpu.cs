using System.Runtime.CompilerServices;
using ILGPU;
using Tile = Data2Vec.Kernels.Ilgpu.AttentionTile;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>What both tiles of gradients compute from scores and do·v.</summary>
internal static class AttentionSlope
{
    /// <summary>p = exp(s - log-sum-exp).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quad Shares(Quad s, float above) => new()
    {
        A = Tile.Exp(s.A - above), B = Tile.Exp(s.B - above), C = Tile.Exp(s.C - above), D = Tile.Exp(s.D - above),
    };

    /// <summary>ds = p (keep * do·v - r), where keep is 0 or the scale of what dropout keeps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quad Of(Quad p, Quad dp, float r, uint kept, float scale) => new()
    {
        A = p.A * (((kept & 1) != 0 ? dp.A * scale : 0) - r), B = p.B * (((kept & 2) != 0 ? dp.B * scale : 0) - r),
        C = p.C * (((kept & 4) != 0 ? dp.C * scale : 0) - r), D = p.D * (((kept & 8) != 0 ? dp.D * scale : 0) - r),
    };
}

/// <summary>
/// dq: one group per tile of 64 queries of a head; scores and do·v of 32 keys at a time, from which come p and ds, then
/// dq += ds k. ds takes the place of the values in shared memory, which nobody needs any more: 48 KiB in all.
/// </summary>
internal static class AttentionQueryKernels<T, TPieces>
    where T : unmanaged, IElement<T>
    where TPieces : unmanaged, IHeadPieces
{
    public static readonly KernelSource<AttentionGradientArgs<T>> Backward = new(
        $"attention_bwd queries {KernelNames.Of<T>()} {default(TPieces).Count * Tile.Piece}", Apply, Tile.MostThreads,
        default(TPieces).Count > 1 ? 2 : 3);

    private static void Apply(AttentionGradientArgs<T> a)
    {
        var q = SharedMemory.Allocate<Quad>(Tile.RowsUnits);
        var dO = SharedMemory.Allocate<Quad>(Tile.RowsUnits);
        var k = SharedMemory.Allocate<Quad>(Tile.ColumnsUnits);
        var v = SharedMemory.Allocate<Quad>(Tile.ColumnsUnits);
        var two = default(TPieces).Count > 1;
        var s = a.Scores;
        var head = Grid.IdxX / a.Tiles;
        var (b, h) = (head / s.Heads, head % s.Heads);
        var first = (Grid.IdxX - head * a.Tiles) * Tile.Rows;
        var rows = IntrinsicMath.Min(Tile.Rows, s.Queries - first);
        var works = Tile.WarpRow < rows;
        var column = (long)h * s.HeadSize;
        var firstQ = ((long)b * s.Queries + first) * a.QRow + column;
        var firstO = ((long)b * s.Queries + first) * a.ORow + column;
        var columns = two ? Tile.Piece : s.HeadSize;
        var more = s.HeadSize - Tile.Piece;
        var slope = s.Slope(h);
        var bias = s.BiasRow(h, first);
        var y = Tile.Y * 4;
        // Rows behind the last query read the last one's numbers; nothing of theirs is stored.
        var row = (long)head * s.Queries + first;
        var sums = a.LogSumExp.SubView(row);
        var products = a.Products.SubView(row);
        var (y0, y1, y2, y3) = (IntrinsicMath.Min(y, rows - 1), IntrinsicMath.Min(y + 1, rows - 1),
            IntrinsicMath.Min(y + 2, rows - 1), IntrinsicMath.Min(y + 3, rows - 1));
        var (l0, l1, l2, l3) = (AttentionScores<T>.Above(sums[y0]), AttentionScores<T>.Above(sums[y1]),
            AttentionScores<T>.Above(sums[y2]), AttentionScores<T>.Above(sums[y3]));
        var (r0, r1, r2, r3) = (products[y0], products[y1], products[y2], products[y3]);
        var scale = s.Dropout.KeptScale;
        var (dq0, dq1) = (default(WideBlock), default(WideBlock));
        if (!two)
        {
            Tile.Load(q, a.Q, firstQ, a.QRow, rows, Tile.Rows, columns, s.Scale, a.WholeQ);
            Tile.Load(dO, a.DO, firstO, a.ORow, rows, Tile.Rows, columns, 1, a.WholeDO);
        }
        for (var j = 0; j < s.Keys; j += Tile.Columns)
        {
            var there = IntrinsicMath.Min(Tile.Columns, s.Keys - j);
            var firstK = ((long)b * s.Keys + j) * a.KRow + column;
            var firstV = ((long)b * s.Keys + j) * a.VRow + column;
            if (two)
            {
                Tile.Load(q, a.Q, firstQ + Tile.Piece, a.QRow, rows, Tile.Rows, more, s.Scale, a.WholeQ);
                Tile.Load(dO, a.DO, firstO + Tile.Piece, a.ORow, rows, Tile.Rows, more, 1, a.WholeDO);
                Tile.Load(k, a.K, firstK + Tile.Piece, a.KRow, there, Tile.Columns, more, 1, a.WholeK);
                Tile.Load(v, a.V, firstV + Tile.Piece, a.VRow, there, Tile.Columns, more, 1, a.WholeV);
                Group.Barrier();
            }
            var (x, dp) = (default(Block), default(Block));
            if (two)
            {
                x = Tile.AddScores(x, q, k, (more + 3) >> 2);
                dp = Tile.AddScores(dp, dO, v, (more + 3) >> 2);
                Group.Barrier();
                Tile.Load(q, a.Q, firstQ, a.QRow, rows, Tile.Rows, columns, s.Scale, a.WholeQ);
                Tile.Load(dO, a.DO, firstO, a.ORow, rows, Tile.Rows, columns, 1, a.WholeDO);
            }
            Tile.Load(k, a.K, firstK, a.KRow, there, Tile.Columns, columns, 1, a.WholeK);
            Tile.Load(v, a.V, firstV, a.VRow, there, Tile.Columns, columns, 1, a.WholeV);
            Group.Barrier();
            if (works)
            {
                x = Tile.AddScores(x, q, k, (columns + 3) >> 2);
                dp = Tile.AddScores(dp, dO, v, (columns + 3) >> 2);
                var c = j + Tile.X * 4;
                var alive = s.Alive(b, c);
                var keep = s.KeepBits(b, h, first + Tile.WarpRow, j);
                x.R0 = AttentionSlope.Shares(s.Finish(x.R0, bias, first, y, 0, c, slope, alive), l0);
                x.R1 = AttentionSlope.Shares(s.Finish(x.R1, bias, first, y + 1, 0, c, slope, alive), l1);
                x.R2 = AttentionSlope.Shares(s.Finish(x.R2, bias, first, y + 2, 0, c, slope, alive), l2);
                x.R3 = AttentionSlope.Shares(s.Finish(x.R3, bias, first, y + 3, 0, c, slope, alive), l3);
                x.R0 = AttentionSlope.Of(x.R0, dp.R0, r0, AttentionScores<T>.KeptOf(keep, 0), scale);
                x.R1 = AttentionSlope.Of(x.R1, dp.R1, r1, AttentionScores<T>.KeptOf(keep, 1), scale);
                x.R2 = AttentionSlope.Of(x.R2, dp.R2, r2, AttentionScores<T>.KeptOf(keep, 2), scale);
                x.R3 = AttentionSlope.Of(x.R3, dp.R3, r3, AttentionScores<T>.KeptOf(keep, 3), scale);
            }
            Group.Barrier();
            if (works)
            {
                Tile.StoreScores(v, x);
                Warp.Barrier();
                dq0 = Tile.AddOutputs(dq0, v, k, (there + 3) >> 2, columns);
            }
            Group.Barrier();
            if (two)
            {
                Tile.Load(k, a.K, firstK + Tile.Piece, a.KRow, there, Tile.Columns, more, 1, a.WholeK);
                Group.Barrier();
                if (works) dq1 = Tile.AddOutputs(dq1, v, k, (there + 3) >> 2, more);
                Group.Barrier();
            }
        }
        if (!works) return;
        var factors = new Quad { A = s.Scale, B = s.Scale, C = s.Scale, D = s.Scale };
        Tile.StoreOutputs(a.DQ, firstQ, a.QRow, dq0, factors, rows, columns, a.WholeDQ);
        if (two) Tile.StoreOutputs(a.DQ, firstQ + Tile.Piece, a.QRow, dq1, factors, rows, more, a.WholeDQ);
    }
}
