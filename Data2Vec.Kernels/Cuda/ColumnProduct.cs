namespace Data2Vec.Kernels.Cuda;

/// <summary>A matrix as cuBLASLt reads it: element (r, c) of what is stored lies at r + c * Leading.</summary>
/// <param name="Data">Where it begins.</param>
/// <param name="Rows">Of what is stored.</param>
/// <param name="Columns">Of what is stored.</param>
/// <param name="Leading">Elements from one column to the next, at least the rows.</param>
/// <param name="Step">Elements from one matrix of the batch to the next.</param>
/// <param name="IsTransposed">The product takes the transposed matrix.</param>
internal readonly record struct ColumnMatrix(
    ulong Data, int Rows, int Columns, long Leading, long Step, bool IsTransposed);

/// <summary>
/// A product of ours in the column-major terms of cuBLASLt. Rows of C that lie Leading apart are columns of Cᵀ, so what
/// is computed is Cᵀ = Bᵀ Aᵀ: our right operand comes first, our columns are the rows, and a bias, one number for each
/// of our columns, has one for each row, as the library's own bias wants it. No number is moved.
/// </summary>
/// <param name="Type">Of all operands.</param>
/// <param name="First">Our right operand.</param>
/// <param name="Second">Our left operand.</param>
/// <param name="Result">Ours, transposed.</param>
/// <param name="Inner">Length of the sums.</param>
/// <param name="Count">Products of the batch.</param>
/// <param name="Alpha">Factor of the sums.</param>
/// <param name="Accumulate">Add to the result.</param>
/// <param name="Bias">Numbers to add to each column of the result, or 0.</param>
internal readonly record struct ColumnProduct(
    DType Type, ColumnMatrix First, ColumnMatrix Second, ColumnMatrix Result, int Inner, int Count, float Alpha,
    bool Accumulate, ulong Bias)
{
    /// <summary>
    /// The same product in those terms; null for what cannot be said in them: an activation or kept sums, rows that
    /// overlap, batches that are not one step apart, nothing to sum.
    /// </summary>
    public static ColumnProduct? Of(DType type, in CudaProductArgs<CudaMatrix, CudaMatrix> a)
    {
        if (a.M == 0 || a.N == 0 || a.K == 0 || a.Batch.Count == 0) return null;
        if (a.End.Activation != Activation.None || a.End.Sums != 0 || a.End.SampleStep != 0) return null;
        if (a.Batch.Even() is not { } steps) return null;
        if (Stored(a.Right, a.N, a.K, steps.Right) is not { } first) return null;
        if (Stored(a.Left, a.M, a.K, steps.Left) is not { } second) return null;
        // Their lines are rows of what is stored here: the first operand is N x K, the second K x M.
        second = second with { IsTransposed = !second.IsTransposed };
        var leading = a.M > 1 ? a.End.RowStep : Math.Max(a.End.RowStep, a.N);
        if (leading < a.N || (a.Batch.Count > 1 && steps.C == 0)) return null;
        var result = new ColumnMatrix(a.End.C, a.N, a.M, leading, steps.C, false);
        return new ColumnProduct(
            type, first, second, result, a.K, a.Batch.Count, a.End.Alpha, a.End.Accumulate != 0, a.End.Bias);
    }

    /// <summary>
    /// A matrix of so many lines along the inner extent: as it is when its lines are neighbours, transposed when the
    /// numbers of a line are. What has one line or one number may count as either.
    /// </summary>
    private static ColumnMatrix? Stored(in CudaMatrix m, int lines, int inners, long step)
    {
        if ((m.LineStep == 1 || lines == 1) && Leading(m.InnerStep, inners, lines) is { } along)
            return new ColumnMatrix(m.Data, lines, inners, along, step, false);
        if ((m.InnerStep == 1 || inners == 1) && Leading(m.LineStep, lines, inners) is { } across)
            return new ColumnMatrix(m.Data, inners, lines, across, step, true);
        return null;
    }

    /// <summary>A step between columns as the library takes it; null when columns would overlap.</summary>
    private static long? Leading(long step, int columns, int rows) =>
        columns == 1 ? Math.Max(step, rows) : step >= rows ? step : null;
}
