namespace Data2Vec.Kernels.Cpu;

/// <summary>
/// Sizes and packing of one head's products, on the micro-kernel of the big matrix products. A block holds the scores of a
/// few dozen query rows against all keys: memory grows with T, never with T².
/// </summary>
internal readonly unsafe struct AttentionTile<T>(int keys, int headSize)
    where T : struct, ILanes<T>
{
    /// <summary>Query rows of one block.</summary>
    public int Rows => 4 * GemmMicroKernel<T>.Rows;

    /// <summary>
    /// Floats from one row of scores to the next: the keys, rounded up to whole tiles of columns, and a cache line more
    /// where rows would lie so that a column of a block falls into a few sets of the nearest cache.
    /// </summary>
    public int KeyWidth { get; } = Spread(RoundUp(keys, GemmMicroKernel<T>.Columns));

    /// <summary>Head size, rounded up to whole tiles of columns.</summary>
    public int HeadWidth { get; } = RoundUp(headSize, GemmMicroKernel<T>.Columns);

    /// <summary>Floats of K or V packed in either direction.</summary>
    public long PackedKeys => Math.Max((long)headSize * KeyWidth, (long)keys * HeadWidth);

    /// <summary>Floats of a block of scores.</summary>
    public long BlockScores => (long)Rows * KeyWidth;

    /// <summary>Floats of a packed block of rows, of either inner length.</summary>
    public long BlockPanel => (long)Rows * Math.Max(Math.Max(keys, headSize), Rows);

    /// <summary>Floats of a block of head vectors.</summary>
    public long BlockHead => (long)Rows * HeadWidth;

    /// <summary>Floats of one vector per key, rows rounded up to whole tiles.</summary>
    public long AllKeys => (long)RoundUp(keys, GemmMicroKernel<T>.Rows) * HeadWidth;

    /// <summary>Rows as panels of [inner][micro rows], times a factor, zeros behind the last row.</summary>
    public void PackRows(float* x, long row, long column, int rows, int inner, float factor, float* to)
    {
        var mr = GemmMicroKernel<T>.Rows;
        for (var i = 0; i < rows; i += mr, to += (long)inner * mr)
        {
            var n = Math.Min(mr, rows - i);
            if (n < mr) new Span<float>(to, inner * mr).Clear();
            for (var r = 0; r < n; r++)
            {
                var from = x + (i + r) * row;
                for (var p = 0; p < inner; p++) to[p * mr + r] = from[p * column] * factor;
            }
        }
        // The block's remaining panels are multiplied too; zeros keep them harmless.
        for (var i = RoundUp(rows, mr); i < Rows; i += mr, to += (long)inner * mr)
            new Span<float>(to, inner * mr).Clear();
    }

    /// <summary>A matrix (p, j) at p * row + j * column as panels of [inner][micro columns], zeros behind the last.</summary>
    public void PackColumns(float* x, long row, long column, int inner, int columns, float* to)
    {
        var nr = GemmMicroKernel<T>.Columns;
        for (var j = 0; j < columns; j += nr, to += (long)inner * nr)
        {
            var n = Math.Min(nr, columns - j);
            if (n < nr) new Span<float>(to, inner * nr).Clear();
            if (column == 1)
            {
                for (var p = 0; p < inner; p++)
                    new ReadOnlySpan<float>(x + p * row + j, n).CopyTo(new Span<float>(to + p * nr, n));
                continue;
            }
            for (var c = 0; c < n; c++)
            {
                var from = x + (j + c) * column;
                for (var p = 0; p < inner; p++) to[p * nr + c] = from[p * row];
            }
        }
    }

    /// <summary>A whole block of rows times packed columns, written (or added) to rows <paramref name="width"/> apart.</summary>
    public void Multiply(
        float* panels, float* packed, int inner, int columns, float* c, int width, bool add = false, int rows = 0)
    {
        var (mr, nr) = (GemmMicroKernel<T>.Rows, GemmMicroKernel<T>.Columns);
        rows = rows == 0 ? Rows : RoundUp(rows, mr);
        for (var j = 0; j < columns; j += nr)
        {
            for (var i = 0; i < rows; i += mr)
            {
                GemmMicroKernel<T>.Run(inner, panels + (long)i * inner, packed + (long)j * inner, c + (long)i * width + j,
                    width, add);
            }
        }
    }

    // A set takes 8 or 12 lines of addresses that are equal modulo 4 KB; a block has up to 48 rows.
    private static int Spread(int width) => width % 256 == 0 ? width + 16 : width;

    private static int RoundUp(int x, int unit) => (x + unit - 1) / unit * unit;
}
