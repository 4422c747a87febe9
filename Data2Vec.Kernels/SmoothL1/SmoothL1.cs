namespace Data2Vec.Kernels;

/// <summary>How the elements of a loss become its output.</summary>
public enum Reduction
{
    /// <summary>One loss per element (cross-entropy: per row).</summary>
    None,
    /// <summary>One loss per row: the sum over its columns.</summary>
    PerRow,
    /// <summary>The sum of everything.</summary>
    Sum,
    /// <summary>The mean over elements (cross-entropy: over the weights of the targets that count).</summary>
    Mean,
}

/// <summary>
/// With d = x[rows[i]] - target[i]: |d| &lt; Beta: d² / (2 Beta), else |d| - Beta / 2; Beta = 0 means L2: d². Reduced
/// and multiplied by Scale. x [XRows, Columns], target [Count, Columns], rows [Count] or absent (then x has Count
/// rows). Loss: [Count, Columns], [Count], or one element, of the type of x. Sums in fixed order. Mean over nothing
/// is NaN. Source: Girshick 2015; Baevski et al. 2022, section 3.3.
/// </summary>
public readonly struct SmoothL1Args
{
    /// <summary>Predictions.</summary>
    public BufferView X { get; init; }

    /// <summary>Int32 or int64 [Count], or absent.</summary>
    public BufferView Rows { get; init; }

    /// <summary>Targets.</summary>
    public BufferView Target { get; init; }

    /// <summary>Output.</summary>
    public BufferView Loss { get; init; }

    /// <summary>Rows of the target.</summary>
    public long Count { get; init; }

    /// <summary>Elements per row.</summary>
    public int Columns { get; init; }

    /// <summary>Rows of x.</summary>
    public long XRows { get; init; }

    /// <summary>Where the parabola ends; 0 = L2.</summary>
    public double Beta { get; init; }

    /// <summary>How elements are combined.</summary>
    public Reduction Reduction { get; init; }

    /// <summary>Factor on the result.</summary>
    public double Scale { get; init; }

    private long LossCount => Reduction switch
    {
        Reduction.None => Count * Columns,
        Reduction.PerRow => Count,
        _ => 1,
    };

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("SmoothL1", X);
        Kernels.Check.That("SmoothL1", Beta >= 0, $"beta must not be negative; got {Beta}.");
        Kernels.Check.Holds("SmoothL1", X, XRows * Columns, type);
        if (Rows.IsNone) Kernels.Check.That("SmoothL1", XRows == Count,
            $"x and target must have the same rows; got {XRows} and {Count}.");
        else Kernels.Check.Indices("SmoothL1", Rows, Count);
        Kernels.Check.Holds("SmoothL1", Target, Count * Columns, type);
        Kernels.Check.Holds("SmoothL1", Loss, LossCount, type);
    }
}

/// <summary>
/// dx[rows[i]] += g and dtarget[i] = -g, where g = dloss * Scale (* 1 / elements for the mean) * clamp(d / Beta,
/// -1, 1), or 2 d for L2. dx is written completely: zero in rows that are not named.
/// </summary>
public readonly struct SmoothL1BackwardArgs
{
    /// <summary>Predictions.</summary>
    public BufferView X { get; init; }

    /// <summary>Int32 or int64 [Count], or absent.</summary>
    public BufferView Rows { get; init; }

    /// <summary>Targets.</summary>
    public BufferView Target { get; init; }

    /// <summary>Gradient of the loss, its shape.</summary>
    public BufferView DLoss { get; init; }

    /// <summary>Gradient of x, or absent.</summary>
    public BufferView DX { get; init; }

    /// <summary>Gradient of the target, or absent.</summary>
    public BufferView DTarget { get; init; }

    /// <summary>Rows of the target.</summary>
    public long Count { get; init; }

    /// <summary>Elements per row.</summary>
    public int Columns { get; init; }

    /// <summary>Rows of x.</summary>
    public long XRows { get; init; }

    /// <summary>Where the parabola ends; 0 = L2.</summary>
    public double Beta { get; init; }

    /// <summary>How elements were combined.</summary>
    public Reduction Reduction { get; init; }

    /// <summary>Factor on the result.</summary>
    public double Scale { get; init; }

    private long LossCount => Reduction switch
    {
        Reduction.None => Count * Columns,
        Reduction.PerRow => Count,
        _ => 1,
    };

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("SmoothL1Backward", X);
        Kernels.Check.Holds("SmoothL1Backward", X, XRows * Columns, type);
        if (Rows.IsNone) Kernels.Check.That("SmoothL1Backward", XRows == Count,
            $"x and target must have the same rows; got {XRows} and {Count}.");
        else Kernels.Check.Indices("SmoothL1Backward", Rows, Count);
        Kernels.Check.Holds("SmoothL1Backward", Target, Count * Columns, type);
        Kernels.Check.Holds("SmoothL1Backward", DLoss, LossCount, type);
        Kernels.Check.HoldsIfGiven("SmoothL1Backward", DX, XRows * Columns, type);
        Kernels.Check.HoldsIfGiven("SmoothL1Backward", DTarget, Count * Columns, type);
    }
}
