namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// How rows are cut for sums over them: by their number alone, into so many chunks as fill a device, of enough rows that
/// the sums of the chunks are little beside them.
/// </summary>
internal static class RowChunks
{
    private const int FewestRows = 4, MostChunks = 1024;

    /// <summary>Rows of a chunk; the last may have fewer.</summary>
    public static int RowsOf(long rows) => (int)Math.Max(FewestRows, (rows + MostChunks - 1) / MostChunks);

    /// <summary>Number of chunks.</summary>
    public static int Count(long rows) => (int)((rows + RowsOf(rows) - 1) / RowsOf(rows));
}
