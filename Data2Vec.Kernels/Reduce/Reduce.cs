namespace Data2Vec.Kernels;

/// <summary>What a reduction computes over the reduced elements of each output element.</summary>
public enum ReduceOp
{
#pragma warning disable CS1591
    Sum,
    Mean, // of nothing: NaN
    Max, // NaN wins
    Min,
    ArgMax, // int64 position among the reduced elements, first of equals, NaN is the largest
    ArgMin,
    SumOfSquares,
    Variance, // two passes; divided by count - Correction
    LogSumExp, // with the maximum taken out; all -inf gives -inf
#pragma warning restore CS1591
}

/// <summary>
/// y[k] = op over r of x[k * KeptStrides + r * ReducedStrides]; y contiguous over Kept. Sums are taken in an order
/// fixed by the shape alone. Type of y: int64 for ArgMax and ArgMin, else that of x.
/// </summary>
public readonly struct ReduceArgs
{
    /// <summary>The reduction.</summary>
    public ReduceOp Op { get; init; }

    /// <summary>Input.</summary>
    public BufferView X { get; init; }

    /// <summary>Output, Kept.Count elements.</summary>
    public BufferView Y { get; init; }

    /// <summary>Shape of the output.</summary>
    public Shape Kept { get; init; }

    /// <summary>Strides of x along it.</summary>
    public Strides KeptStrides { get; init; }

    /// <summary>Shape of what is reduced.</summary>
    public Shape Reduced { get; init; }

    /// <summary>Strides of x along it.</summary>
    public Strides ReducedStrides { get; init; }

    /// <summary>Variance: subtracted from the count.</summary>
    public double Correction { get; init; }

    /// <summary>Sum only: add to y.</summary>
    public bool Accumulate { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.Float("Reduce", X);
        Kernels.Check.That("Reduce", !Accumulate || Op == ReduceOp.Sum, $"only Sum can add to its output, not {Op}.");
        Kernels.Check.That("Reduce",
            Reduced.Count > 0 || Kept.Count == 0
                || Op is not (ReduceOp.Max or ReduceOp.Min or ReduceOp.ArgMax or ReduceOp.ArgMin),
            $"{Op} of no elements has no value.");
        if (Reduced.Count > 0)
        {
            Span<int> d = stackalloc int[Shape.MaxRank];
            Kernels.Check.That("Reduce", Kept.Rank + Reduced.Rank <= Shape.MaxRank,
                $"at most {Shape.MaxRank} dimensions in all.");
            Kept.CopyTo(d);
            Reduced.CopyTo(d[Kept.Rank..]);
            var strides = KeptStrides;
            for (var i = 0; i < Reduced.Rank; i++) strides[Kept.Rank + i] = ReducedStrides[i];
            Kernels.Check.Reaches("Reduce", X, new Shape(d[..(Kept.Rank + Reduced.Rank)]), strides);
        }
        Kernels.Check.Holds("Reduce", Y, Kept.Count, Op is ReduceOp.ArgMax or ReduceOp.ArgMin ? DType.Int64 : X.DType);
    }
}
