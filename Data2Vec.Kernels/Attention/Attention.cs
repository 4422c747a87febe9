namespace Data2Vec.Kernels;

/// <summary>
/// For every sample b and head h: s[i,j] = Scale * q[i]·k[j] + bias[h,i,j] - slopes[h] * |i - j|, masked keys -inf;
/// p = softmax_j(s); o[i] = sum_j p[i,j] * keep[i,j] / (1 - dropout) * v[j].
/// Head h of position t of sample b starts at (b * T + t) * Row + h * HeadSize, so that packed [B, T, 3, H, d]
/// buffers are addressed by offset and row stride. A row without any key gives zeros. LogSumExp [Batch, Heads, Tq]
/// (float32, float64 when q is) is max + log(sum), kept for backward, -inf for such a row. Scores are computed tile
/// by tile with a running maximum; all probabilities are written only where they are asked for. Source: Dao et al. 2022.
/// </summary>
public readonly struct AttentionArgs
{
    /// <summary>Queries.</summary>
    public BufferView Q { get; init; }

    /// <summary>Keys.</summary>
    public BufferView K { get; init; }

    /// <summary>Values.</summary>
    public BufferView V { get; init; }

    /// <summary>Bool [Batch, Tk], true = takes part; or absent.</summary>
    public BufferView KeyMask { get; init; }

    /// <summary>[Heads, Tq, Tk], added to the scaled scores; or absent.</summary>
    public BufferView Bias { get; init; }

    /// <summary>ALiBi: [Heads], score -= slope * |i - j|; or absent.</summary>
    public BufferView Slopes { get; init; }

    /// <summary>Output.</summary>
    public BufferView O { get; init; }

    /// <summary>Written; or absent.</summary>
    public BufferView LogSumExp { get; init; }

    /// <summary>[Batch, Heads, Tq, Tk] before dropout, written; or absent.</summary>
    public BufferView Probabilities { get; init; }

    /// <summary>Samples.</summary>
    public int Batch { get; init; }

    /// <summary>Heads.</summary>
    public int Heads { get; init; }

    /// <summary>Query positions Tq.</summary>
    public int Queries { get; init; }

    /// <summary>Key positions Tk.</summary>
    public int Keys { get; init; }

    /// <summary>Elements d of one head.</summary>
    public int HeadSize { get; init; }

    /// <summary>Elements from one query position to the next.</summary>
    public long QRow { get; init; }

    /// <summary>The same for keys.</summary>
    public long KRow { get; init; }

    /// <summary>The same for values.</summary>
    public long VRow { get; init; }

    /// <summary>The same for the output.</summary>
    public long ORow { get; init; }

    /// <summary>Factor on q·k.</summary>
    public double Scale { get; init; }

    /// <summary>Dropout of the probabilities: one byte per score.</summary>
    public DropoutSource Dropout { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("Attention", Q);
        var statistics = type == DType.Float64 ? DType.Float64 : DType.Float32;
        AttentionLayout.Check("Attention", Q, type, Batch, Queries, Heads, HeadSize, QRow, "q");
        AttentionLayout.Check("Attention", K, type, Batch, Keys, Heads, HeadSize, KRow, "k");
        AttentionLayout.Check("Attention", V, type, Batch, Keys, Heads, HeadSize, VRow, "v");
        AttentionLayout.Check("Attention", O, type, Batch, Queries, Heads, HeadSize, ORow, "o");
        var scores = (long)Batch * Heads * Queries * Keys;
        Kernels.Check.HoldsIfGiven("Attention", KeyMask, (long)Batch * Keys, DType.Bool);
        Kernels.Check.HoldsIfGiven("Attention", Bias, (long)Heads * Queries * Keys, type);
        Kernels.Check.HoldsIfGiven("Attention", Slopes, Heads, type);
        Kernels.Check.HoldsIfGiven("Attention", LogSumExp, (long)Batch * Heads * Queries, statistics);
        Kernels.Check.HoldsIfGiven("Attention", Probabilities, scores, type);
        Dropout.Check("Attention", scores);
    }
}

/// <summary>
/// Recomputes p from LogSumExp. With r[i] = sum_d do[i,d] * o[i,d] and dp[i,j] = keep / (1 - dropout) * do[i]·v[j]:
/// ds = p * (dp - r), dq = Scale * ds k, dk = Scale * dsᵀ q, dv = (p * keep / (1 - dropout))ᵀ do, dbias[h] (+)= sum
/// over samples of ds, dslopes[h] (+)= -sum of ds * |i - j|. dq, dk, dv have the row strides of q, k, v (packed
/// gradients). Absent outputs are skipped.
/// </summary>
public readonly struct AttentionBackwardArgs
{
    /// <summary>Queries.</summary>
    public BufferView Q { get; init; }

    /// <summary>Keys.</summary>
    public BufferView K { get; init; }

    /// <summary>Values.</summary>
    public BufferView V { get; init; }

    /// <summary>Bool [Batch, Tk], true = takes part; or absent.</summary>
    public BufferView KeyMask { get; init; }

    /// <summary>[Heads, Tq, Tk], added to the scaled scores; or absent.</summary>
    public BufferView Bias { get; init; }

    /// <summary>ALiBi: [Heads], score -= slope * |i - j|; or absent.</summary>
    public BufferView Slopes { get; init; }

    /// <summary>Output of the forward call.</summary>
    public BufferView O { get; init; }

    /// <summary>Kept by the forward call.</summary>
    public BufferView LogSumExp { get; init; }

    /// <summary>Gradient of the output, rows ORow apart.</summary>
    public BufferView DO { get; init; }

    /// <summary>Gradient of q, or absent.</summary>
    public BufferView DQ { get; init; }

    /// <summary>Gradient of k, or absent.</summary>
    public BufferView DK { get; init; }

    /// <summary>Gradient of v, or absent.</summary>
    public BufferView DV { get; init; }

    /// <summary>Gradient of bias, or absent.</summary>
    public BufferView DBias { get; init; }

    /// <summary>Gradient of slopes, or absent.</summary>
    public BufferView DSlopes { get; init; }

    /// <summary>Samples.</summary>
    public int Batch { get; init; }

    /// <summary>Heads.</summary>
    public int Heads { get; init; }

    /// <summary>Query positions Tq.</summary>
    public int Queries { get; init; }

    /// <summary>Key positions Tk.</summary>
    public int Keys { get; init; }

    /// <summary>Elements d of one head.</summary>
    public int HeadSize { get; init; }

    /// <summary>Elements from one query position to the next.</summary>
    public long QRow { get; init; }

    /// <summary>The same for keys.</summary>
    public long KRow { get; init; }

    /// <summary>The same for values.</summary>
    public long VRow { get; init; }

    /// <summary>The same for the output.</summary>
    public long ORow { get; init; }

    /// <summary>Factor on q·k.</summary>
    public double Scale { get; init; }

    /// <summary>As in the forward call.</summary>
    public DropoutSource Dropout { get; init; }

    /// <summary>Add to dbias.</summary>
    public bool AccumulateBias { get; init; }

    /// <summary>Add to dslopes.</summary>
    public bool AccumulateSlopes { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("AttentionBackward", Q);
        var statistics = type == DType.Float64 ? DType.Float64 : DType.Float32;
        AttentionLayout.Check("AttentionBackward", Q, type, Batch, Queries, Heads, HeadSize, QRow, "q");
        AttentionLayout.Check("AttentionBackward", K, type, Batch, Keys, Heads, HeadSize, KRow, "k");
        AttentionLayout.Check("AttentionBackward", V, type, Batch, Keys, Heads, HeadSize, VRow, "v");
        AttentionLayout.Check("AttentionBackward", O, type, Batch, Queries, Heads, HeadSize, ORow, "o");
        AttentionLayout.Check("AttentionBackward", DO, type, Batch, Queries, Heads, HeadSize, ORow, "do");
        if (!DQ.IsNone)
            AttentionLayout.Check("AttentionBackward", DQ, type, Batch, Queries, Heads, HeadSize, QRow, "dq");
        if (!DK.IsNone)
            AttentionLayout.Check("AttentionBackward", DK, type, Batch, Keys, Heads, HeadSize, KRow, "dk");
        if (!DV.IsNone)
            AttentionLayout.Check("AttentionBackward", DV, type, Batch, Keys, Heads, HeadSize, VRow, "dv");
        Kernels.Check.HoldsIfGiven("AttentionBackward", KeyMask, (long)Batch * Keys, DType.Bool);
        Kernels.Check.HoldsIfGiven("AttentionBackward", Bias, (long)Heads * Queries * Keys, type);
        Kernels.Check.HoldsIfGiven("AttentionBackward", DBias, (long)Heads * Queries * Keys, type);
        Kernels.Check.HoldsIfGiven("AttentionBackward", Slopes, Heads, type);
        Kernels.Check.HoldsIfGiven("AttentionBackward", DSlopes, Heads, type);
        Kernels.Check.Holds("AttentionBackward", LogSumExp, (long)Batch * Heads * Queries, statistics);
        Dropout.Check("AttentionBackward", (long)Batch * Heads * Queries * Keys);
    }
}

internal static class AttentionLayout
{
    /// <summary>The operand reaches the last element of the last head of the last position.</summary>
    public static void Check(
        string op, BufferView view, DType type, int batch, int time, int heads, int headSize, long row, string name)
    {
        Kernels.Check.That(op, row >= (long)heads * headSize || (long)batch * time <= 1,
            $"positions of {name} must be at least {heads} x {headSize} elements apart; got {row}.");
        var positions = (long)batch * time;
        var count = positions == 0 ? 0 : (positions - 1) * row + (long)heads * headSize;
        Kernels.Check.Holds(op, view, count, type, name);
    }
}
