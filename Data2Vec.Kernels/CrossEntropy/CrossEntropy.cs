namespace Data2Vec.Kernels;

/// <summary>
/// logits [Rows, Classes], target int32 or int64 [Rows], weight [Classes] or absent. With q = log-softmax: row loss
/// = (1 - Smoothing) * w[t] * -q[t] + Smoothing / Classes * sum_c w[c] * -q[c]; 0 where target = IgnoreIndex. Mean
/// divides by the sum of w[t] over counted rows (all ignored: NaN). LogSumExp [Rows] is kept for backward (float32,
/// float64 when logits are). Loss: [Rows] for None or PerRow, else one element. A target outside [0, Classes) is an
/// error naming row and value.
/// </summary>
public readonly struct CrossEntropyArgs
{
    /// <summary>Logits.</summary>
    public BufferView X { get; init; }

    /// <summary>Class indices.</summary>
    public BufferView Target { get; init; }

    /// <summary>Class weights, or absent.</summary>
    public BufferView Weight { get; init; }

    /// <summary>Output.</summary>
    public BufferView Loss { get; init; }

    /// <summary>Per row, written.</summary>
    public BufferView LogSumExp { get; init; }

    /// <summary>One element, written: the divisor of the mean.</summary>
    public BufferView TotalWeight { get; init; }

    /// <summary>Rows.</summary>
    public long Rows { get; init; }

    /// <summary>Classes.</summary>
    public int Classes { get; init; }

    /// <summary>Label smoothing in [0, 1].</summary>
    public double Smoothing { get; init; }

    /// <summary>Target value that does not count.</summary>
    public long IgnoreIndex { get; init; }

    /// <summary>How rows are combined.</summary>
    public Reduction Reduction { get; init; }

    private long LossCount => Reduction is Reduction.None or Reduction.PerRow ? Rows : 1;

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("CrossEntropy", X);
        var statistics = type == DType.Float64 ? DType.Float64 : DType.Float32;
        Kernels.Check.That("CrossEntropy", Smoothing is >= 0 and <= 1,
            $"label smoothing must lie in [0, 1]; got {Smoothing}.");
        Kernels.Check.Holds("CrossEntropy", X, Rows * Classes, type);
        Kernels.Check.Indices("CrossEntropy", Target, Rows);
        Kernels.Check.HoldsIfGiven("CrossEntropy", Weight, Classes, type);
        Kernels.Check.Holds("CrossEntropy", Loss, LossCount, type);
        Kernels.Check.Holds("CrossEntropy", LogSumExp, Rows, statistics);
        Kernels.Check.Holds("CrossEntropy", TotalWeight, 1, statistics);
    }
}

/// <summary>
/// dx[r,c] = dloss (/ total weight) * ((1 - Smoothing) * w[t] * (p[c] - [c = t]) + Smoothing / Classes * (p[c] *
/// sum(w) - w[c])); 0 in ignored rows.
/// </summary>
public readonly struct CrossEntropyBackwardArgs
{
    /// <summary>Logits.</summary>
    public BufferView X { get; init; }

    /// <summary>Class indices.</summary>
    public BufferView Target { get; init; }

    /// <summary>Class weights, or absent.</summary>
    public BufferView Weight { get; init; }

    /// <summary>Kept by the forward call.</summary>
    public BufferView LogSumExp { get; init; }

    /// <summary>Kept by the forward call.</summary>
    public BufferView TotalWeight { get; init; }

    /// <summary>Gradient of the loss.</summary>
    public BufferView DLoss { get; init; }

    /// <summary>Gradient of the logits, written; may be x.</summary>
    public BufferView DX { get; init; }

    /// <summary>Rows.</summary>
    public long Rows { get; init; }

    /// <summary>Classes.</summary>
    public int Classes { get; init; }

    /// <summary>Label smoothing.</summary>
    public double Smoothing { get; init; }

    /// <summary>Target value that does not count.</summary>
    public long IgnoreIndex { get; init; }

    /// <summary>How rows were combined.</summary>
    public Reduction Reduction { get; init; }

    private long LossCount => Reduction is Reduction.None or Reduction.PerRow ? Rows : 1;

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("CrossEntropyBackward", X);
        var statistics = type == DType.Float64 ? DType.Float64 : DType.Float32;
        Kernels.Check.Holds("CrossEntropyBackward", X, Rows * Classes, type);
        Kernels.Check.Indices("CrossEntropyBackward", Target, Rows);
        Kernels.Check.HoldsIfGiven("CrossEntropyBackward", Weight, Classes, type);
        Kernels.Check.Holds("CrossEntropyBackward", LogSumExp, Rows, statistics);
        Kernels.Check.Holds("CrossEntropyBackward", TotalWeight, 1, statistics);
        Kernels.Check.Holds("CrossEntropyBackward", DLoss, LossCount, type);
        Kernels.Check.Holds("CrossEntropyBackward", DX, Rows * Classes, type);
    }
}
