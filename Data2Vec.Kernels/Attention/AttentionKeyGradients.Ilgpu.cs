using System.Runtime.CompilerServices;
using ILGPU;
using Tile = Data2Vec.Kernels.Ilgpu.AttentionTile;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// dk and dv: one group per tile of 64 keys of a head, 32 queries at a time. Rows of the tile are keys here, columns are
/// queries: the blocks of scores are those of the other kernels transposed. Keys and values stay in shared memory; q and do
/// pass through two small tiles, the first of which then takes p and ds, the second do and q again: 48 KiB in all. Heads of two
/// pieces have a group for each: sums for both at once would not fit into the registers.
/// </summary>
internal static class AttentionKeyKernels<T, TPieces>
    where T : unmanaged, IElement<T>
    where TPieces : unmanaged, IHeadPieces
{
    public static readonly KernelSource<AttentionGradientArgs<T>> Backward = new(
        $"attention_bwd keys {KernelNames.Of<T>()} {default(TPieces).Count * Tile.Piece}", Apply, Tile.MostThreads,
        default(TPieces).Count > 1 ? 2 : 3);

    private static void Apply(AttentionGradientArgs<T> a)
    {
        var k = SharedMemory.Allocate<Quad>(Tile.RowsUnits);
        var v = SharedMemory.Allocate<Quad>(Tile.RowsUnits);
        var left = SharedMemory.Allocate<Quad>(Tile.ColumnsUnits);
        var right = SharedMemory.Allocate<Quad>(Tile.ColumnsUnits);
        var two = default(TPieces).Count > 1;
        var s = a.Scores;
        var head = Grid.IdxX / a.Tiles;
        var (b, h) = (head / s.Heads, head % s.Heads);
        var first = (Grid.IdxX - head * a.Tiles) * Tile.Rows;
        var rows = IntrinsicMath.Min(Tile.Rows, s.Keys - first);
        var works = Tile.WarpRow < rows;
        // The piece whose gradients this group computes; scores need the other one too, which comes before it.
        var (piece, other) = two ? (Grid.IdxY * Tile.Piece, Tile.Piece - Grid.IdxY * Tile.Piece) : (0, 0);
        var columns = IntrinsicMath.Min(Tile.Piece, s.HeadSize - piece);
        var others = IntrinsicMath.Min(Tile.Piece, s.HeadSize - other);
        var firstK = ((long)b * s.Keys + first) * a.KRow + (long)h * s.HeadSize;
        var firstV = ((long)b * s.Keys + first) * a.VRow + (long)h * s.HeadSize;
        var slope = s.Slope(h);
        var key = first + Tile.Y * 4;
        var alive = s.Alive(b, key);
        var scale = s.Dropout.KeptScale;
        var (dk, dv) = (default(WideBlock), default(WideBlock));
        if (!two)
        {
            Tile.Load(k, a.K, firstK, a.KRow, rows, Tile.Rows, columns, 1, a.WholeK);
            Tile.Load(v, a.V, firstV, a.VRow, rows, Tile.Rows, columns, 1, a.WholeV);
        }
        for (var i = 0; i < s.Queries; i += Tile.Columns)
        {
            var there = IntrinsicMath.Min(Tile.Columns, s.Queries - i);
            var firstQ = ((long)b * s.Queries + i) * a.QRow + (long)h * s.HeadSize;
            var firstO = ((long)b * s.Queries + i) * a.ORow + (long)h * s.HeadSize;
            var (x, dp) = (default(Block), default(Block));
            if (two)
            {
                Tile.Load(k, a.K, firstK + other, a.KRow, rows, Tile.Rows, others, 1, a.WholeK);
                Tile.Load(v, a.V, firstV + other, a.VRow, rows, Tile.Rows, others, 1, a.WholeV);
                Tile.Load(left, a.Q, firstQ + other, a.QRow, there, Tile.Columns, others, s.Scale, a.WholeQ);
                Tile.Load(right, a.DO, firstO + other, a.ORow, there, Tile.Columns, others, 1, a.WholeDO);
                Group.Barrier();
                x = Tile.AddScores(x, k, left, (others + 3) >> 2);
                dp = Tile.AddScores(dp, v, right, (others + 3) >> 2);
                Group.Barrier();
                Tile.Load(k, a.K, firstK + piece, a.KRow, rows, Tile.Rows, columns, 1, a.WholeK);
                Tile.Load(v, a.V, firstV + piece, a.VRow, rows, Tile.Rows, columns, 1, a.WholeV);
            }
            Tile.Load(left, a.Q, firstQ + piece, a.QRow, there, Tile.Columns, columns, s.Scale, a.WholeQ);
            Tile.Load(right, a.DO, firstO + piece, a.ORow, there, Tile.Columns, columns, 1, a.WholeDO);
            Group.Barrier();
            var (p, ds) = (default(Block), default(Block));
            if (works)
            {
                // Four keys of one query are what biases, masks and random bits come in.
                p = Tile.Transposed(Tile.AddScores(x, k, left, (columns + 3) >> 2));
                ds = Tile.Transposed(Tile.AddScores(dp, v, right, (columns + 3) >> 2));
                var keep = s.KeepBitsOfKeys(b, h, i, first + Tile.WarpRow);
                var bias = s.BiasRow(h, i);
                var row = (long)head * s.Queries + i;
                var (sums, products) = (a.LogSumExp.SubView(row), a.Products.SubView(row));
                p.R0 = s.Finish(p.R0, bias, i, Tile.X * 4, 0, key, slope, alive);
                Query(ref p.R0, ref ds.R0, sums, products, there, 0, AttentionScores<T>.KeptOfKeys(keep, 0), scale);
                p.R1 = s.Finish(p.R1, bias, i, Tile.X * 4, 1, key, slope, alive);
                Query(ref p.R1, ref ds.R1, sums, products, there, 1, AttentionScores<T>.KeptOfKeys(keep, 1), scale);
                p.R2 = s.Finish(p.R2, bias, i, Tile.X * 4, 2, key, slope, alive);
                Query(ref p.R2, ref ds.R2, sums, products, there, 2, AttentionScores<T>.KeptOfKeys(keep, 2), scale);
                p.R3 = s.Finish(p.R3, bias, i, Tile.X * 4, 3, key, slope, alive);
                Query(ref p.R3, ref ds.R3, sums, products, there, 3, AttentionScores<T>.KeptOfKeys(keep, 3), scale);
                (p, ds) = (Tile.Transposed(p), Tile.Transposed(ds));
            }
            Group.Barrier();
            if (works)
            {
                Tile.StoreScores(left, p);
                Warp.Barrier();
                dv = Tile.AddOutputs(dv, left, right, (there + 3) >> 2, columns);
            }
            Group.Barrier();
            Tile.Load(right, a.Q, firstQ + piece, a.QRow, there, Tile.Columns, columns, s.Scale, a.WholeQ);
            if (works) Tile.StoreScores(left, ds);
            Group.Barrier();
            if (works) dk = Tile.AddOutputs(dk, left, right, (there + 3) >> 2, columns);
            Group.Barrier();
        }
        if (!works) return;
        var ones = new Quad { A = 1, B = 1, C = 1, D = 1 };
        // q came in with the factor of the scores: it is in dk already.
        if (a.DK.Length != 0)
            Tile.StoreOutputs(a.DK, firstK + piece, a.KRow, dk, ones, rows, columns, a.WholeDK);
        if (a.DV.Length != 0)
            Tile.StoreOutputs(a.DV, firstV + piece, a.VRow, dv, ones * scale, rows, columns, a.WholeDV);
    }

    /// <summary>
    /// Scores of four keys and do·v to what dropout keeps of p, and ds; zeros for a query that there is not.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Query(
        ref Quad p, ref Quad ds, ArrayView<float> sums, ArrayView<float> products, int there, int number, uint kept, float scale)
    {
        var i = Tile.X * 4 + number;
        var at = IntrinsicMath.Min(i, there - 1);
        var shares = AttentionSlope.Shares(p, i < there ? AttentionScores<T>.Above(sums[at]) : float.PositiveInfinity);
        ds = AttentionSlope.Of(shares, ds, products[at], kept, scale);
        p = AttentionScores<T>.Chosen(shares, kept, 0);
    }
}
