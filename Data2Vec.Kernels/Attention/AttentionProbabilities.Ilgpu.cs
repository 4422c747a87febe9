using ILGPU;
using Tile = Data2Vec.Kernels.Ilgpu.AttentionTile;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// All probabilities, for those who want to look at them: the scores of the forward kernel again, less the log-sum-exp that it
/// has left. No training step calls it.
/// </summary>
internal static class AttentionProbabilityKernels<T, TPieces>
    where T : unmanaged, IElement<T>
    where TPieces : unmanaged, IHeadPieces
{
    public static readonly KernelSource<AttentionKernelArgs<T>> Forward = new(
        $"attention_probabilities {KernelNames.Of<T>()} {default(TPieces).Count * Tile.Piece}", Apply, Tile.MostThreads,
        default(TPieces).Count > 1 ? 2 : 4);

    private static void Apply(AttentionKernelArgs<T> a)
    {
        var q = SharedMemory.Allocate<Quad>(Tile.RowsUnits);
        var k = SharedMemory.Allocate<Quad>(Tile.ColumnsUnits);
        var s = a.Scores;
        var head = Grid.IdxX / a.Tiles;
        var (b, h) = (head / s.Heads, head % s.Heads);
        var first = (Grid.IdxX - head * a.Tiles) * Tile.Rows;
        var rows = IntrinsicMath.Min(Tile.Rows, s.Queries - first);
        for (var j = 0; j < s.Keys; j += Tile.Columns)
        {
            var there = IntrinsicMath.Min(Tile.Columns, s.Keys - j);
            var x = default(Block);
            for (var piece = 0; piece < default(TPieces).Count; piece++)
            {
                var columns = IntrinsicMath.Min(Tile.Piece, s.HeadSize - piece * Tile.Piece);
                var at = (long)h * s.HeadSize + piece * Tile.Piece;
                var (position, key) = ((long)b * s.Queries + first, (long)b * s.Keys + j);
                Tile.Load(q, a.Q, position * a.QRow + at, a.QRow, rows, Tile.Rows, columns, s.Scale, a.WholeQ);
                Tile.Load(k, a.K, key * a.KRow + at, a.KRow, there, Tile.Columns, columns, 1, a.WholeK);
                Group.Barrier();
                x = Tile.AddScores(x, q, k, (columns + 3) >> 2);
                Group.Barrier();
            }
            var (y, c) = (Tile.Y * 4, j + Tile.X * 4);
            var alive = s.Alive(b, c);
            var slope = s.Slope(h);
            var bias = s.BiasRow(h, first);
            var row = (long)head * s.Queries;
            Store(a, row, first + y, c, s.Finish(x.R0, bias, first, y, 0, c, slope, alive));
            Store(a, row, first + y + 1, c, s.Finish(x.R1, bias, first, y + 1, 0, c, slope, alive));
            Store(a, row, first + y + 2, c, s.Finish(x.R2, bias, first, y + 2, 0, c, slope, alive));
            Store(a, row, first + y + 3, c, s.Finish(x.R3, bias, first, y + 3, 0, c, slope, alive));
        }
    }

    private static void Store(AttentionKernelArgs<T> a, long row, int i, int j, Quad s)
    {
        if (i >= a.Scores.Queries) return;
        var lse = AttentionScores<T>.Above(a.LogSumExp[row + i]);
        var at = (row + i) * a.Scores.Keys + j;
        var left = a.Scores.Keys - j;
        var t = default(T);
        if (left > 0) a.Probabilities[at] = t.Narrow(Tile.Exp(s.A - lse));
        if (left > 1) a.Probabilities[at + 1] = t.Narrow(Tile.Exp(s.B - lse));
        if (left > 2) a.Probabilities[at + 2] = t.Narrow(Tile.Exp(s.C - lse));
        if (left > 3) a.Probabilities[at + 3] = t.Narrow(Tile.Exp(s.D - lse));
    }
}
