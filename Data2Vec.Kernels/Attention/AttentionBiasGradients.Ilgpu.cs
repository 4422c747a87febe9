using System.Runtime.CompilerServices;
using ILGPU;
using Tile = Data2Vec.Kernels.Ilgpu.AttentionTile;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// dbias and dslopes: one group owns 64 queries x 32 keys of a head and adds ds over the samples, in their order: no atomics,
/// no ds of every sample in memory. The price is that scores and do·v are computed once more, only where there is a bias.
/// </summary>
internal static class AttentionBiasKernels<T, TPieces>
    where T : unmanaged, IElement<T>
    where TPieces : unmanaged, IHeadPieces
{
    public static readonly KernelSource<AttentionGradientArgs<T>> Backward = new(
        $"attention_bwd bias {KernelNames.Of<T>()} {default(TPieces).Count * Tile.Piece}", Apply, Tile.MostThreads, 3);

    private static void Apply(AttentionGradientArgs<T> a)
    {
        var q = SharedMemory.Allocate<Quad>(Tile.RowsUnits);
        var dO = SharedMemory.Allocate<Quad>(Tile.RowsUnits);
        var k = SharedMemory.Allocate<Quad>(Tile.ColumnsUnits);
        var v = SharedMemory.Allocate<Quad>(Tile.ColumnsUnits);
        var s = a.Scores;
        var tile = Grid.IdxX / a.KeyTiles;
        var j = (Grid.IdxX - tile * a.KeyTiles) * Tile.Columns;
        var h = tile / a.Tiles;
        var first = (tile - h * a.Tiles) * Tile.Rows;
        var rows = IntrinsicMath.Min(Tile.Rows, s.Queries - first);
        var there = IntrinsicMath.Min(Tile.Columns, s.Keys - j);
        var works = Tile.WarpRow < rows;
        var slope = s.Slope(h);
        var scale = s.Dropout.KeptScale;
        var (y, c) = (Tile.Y * 4, j + Tile.X * 4);
        var (y0, y1, y2, y3) = (IntrinsicMath.Min(y, rows - 1), IntrinsicMath.Min(y + 1, rows - 1),
            IntrinsicMath.Min(y + 2, rows - 1), IntrinsicMath.Min(y + 3, rows - 1));
        // The same for every sample. It is added after the products: small ones would drown in a large distance.
        var bias = s.BiasRow(h, first);
        var exist = s.Exist(c);
        var offset = new Block
        {
            R0 = s.Offset(bias, first, y, 0, c, slope, exist), R1 = s.Offset(bias, first, y, 1, c, slope, exist),
            R2 = s.Offset(bias, first, y, 2, c, slope, exist), R3 = s.Offset(bias, first, y, 3, c, slope, exist),
        };
        var sum = default(Block);
        for (var b = 0; b < s.Batch; b++)
        {
            var (x, dp) = (default(Block), default(Block));
            for (var piece = 0; piece < default(TPieces).Count; piece++)
            {
                var columns = IntrinsicMath.Min(Tile.Piece, s.HeadSize - piece * Tile.Piece);
                var column = (long)h * s.HeadSize + piece * Tile.Piece;
                var (position, key) = ((long)b * s.Queries + first, (long)b * s.Keys + j);
                Tile.Load(q, a.Q, position * a.QRow + column, a.QRow, rows, Tile.Rows, columns, s.Scale, a.WholeQ);
                Tile.Load(dO, a.DO, position * a.ORow + column, a.ORow, rows, Tile.Rows, columns, 1, a.WholeDO);
                Tile.Load(k, a.K, key * a.KRow + column, a.KRow, there, Tile.Columns, columns, 1, a.WholeK);
                Tile.Load(v, a.V, key * a.VRow + column, a.VRow, there, Tile.Columns, columns, 1, a.WholeV);
                Group.Barrier();
                if (works)
                {
                    x = Tile.AddScores(x, q, k, (columns + 3) >> 2);
                    dp = Tile.AddScores(dp, dO, v, (columns + 3) >> 2);
                }
                Group.Barrier();
            }
            if (!works) continue;
            var alive = s.Alive(b, c);
            var keep = s.KeepBits(b, h, first + Tile.WarpRow, j);
            var row = ((long)b * s.Heads + h) * s.Queries + first;
            var sums = a.LogSumExp.SubView(row);
            var products = a.Products.SubView(row);
            sum.R0 += Of(x.R0 + offset.R0, dp.R0, alive, sums[y0], products[y0], AttentionScores<T>.KeptOf(keep, 0), scale);
            sum.R1 += Of(x.R1 + offset.R1, dp.R1, alive, sums[y1], products[y1], AttentionScores<T>.KeptOf(keep, 1), scale);
            sum.R2 += Of(x.R2 + offset.R2, dp.R2, alive, sums[y2], products[y2], AttentionScores<T>.KeptOf(keep, 2), scale);
            sum.R3 += Of(x.R3 + offset.R3, dp.R3, alive, sums[y3], products[y3], AttentionScores<T>.KeptOf(keep, 3), scale);
        }
        if (a.DBias.Length != 0)
        {
            var target = a.DBias.SubView(((long)h * s.Queries + first) * s.Keys);
            Store(a, target, y, rows, c, sum.R0);
            Store(a, target, y + 1, rows, c, sum.R1);
            Store(a, target, y + 2, rows, c, sum.R2);
            Store(a, target, y + 3, rows, c, sum.R3);
        }
        if (a.SlopeParts.Length == 0) return;
        var part = Distances(sum.R0, first + y, c, y < rows) + Distances(sum.R1, first + y + 1, c, y + 1 < rows)
            + (Distances(sum.R2, first + y + 2, c, y + 2 < rows) + Distances(sum.R3, first + y + 3, c, y + 3 < rows));
        part = Tile.RowSum(part);
        part += Warp.ShuffleXor(part, 8);
        part += Warp.ShuffleXor(part, 16);
        // The warps' sums go where the keys were: there is no shared memory left.
        if (Warp.IsFirstLane) k[Group.IdxX >> 5] = new Quad { A = part };
        Group.Barrier();
        if (Group.IdxX != 0) return;
        part = 0;
        for (var w = 0; w < Group.DimX >> 5; w++) part += k[w].A;
        a.SlopeParts[Grid.IdxX] = part;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Quad Of(Quad s, Quad dp, uint alive, float logSumExp, float r, uint kept, float scale) => AttentionSlope.Of(
        AttentionSlope.Shares(
            AttentionScores<T>.Chosen(s, alive, float.NegativeInfinity), AttentionScores<T>.Above(logSumExp)),
        dp, r, kept, scale);

    /// <summary>-sum of ds |i - j|; keys that there are not have ds 0.</summary>
    private static float Distances(Quad ds, int i, int j, bool there) => there
        ? -(ds.A * IntrinsicMath.Abs(i - j) + ds.B * IntrinsicMath.Abs(i - j - 1)
            + (ds.C * IntrinsicMath.Abs(i - j - 2) + ds.D * IntrinsicMath.Abs(i - j - 3)))
        : 0;

    private static void Store(AttentionGradientArgs<T> a, ArrayView<T> target, int y, int rows, int j, Quad ds)
    {
        if (y >= rows) return;
        var at = y * a.Scores.Keys + j;
        var left = a.Scores.Keys - j;
        if (left > 0) Store(target, at, ds.A, a.AccumulateBias);
        if (left > 1) Store(target, at + 1, ds.B, a.AccumulateBias);
        if (left > 2) Store(target, at + 2, ds.C, a.AccumulateBias);
        if (left > 3) Store(target, at + 3, ds.D, a.AccumulateBias);
    }

    private static void Store(ArrayView<T> target, int at, float value, int accumulate) =>
        target[at] = default(T).Narrow(accumulate != 0 ? target[at].Widen() + value : value);
}
