namespace Data2Vec.Kernels;

/// <summary>
/// y[i] = x[i] * keep[i] / (1 - p), with the bits of DropoutSource; the gradient is the same call on dy.
/// </summary>
public readonly struct DropoutArgs
{
    /// <summary>Input; y may be x.</summary>
    public BufferView X { get; init; }

    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>Number of elements.</summary>
    public long Count { get; init; }

    /// <summary>Probability and bits.</summary>
    public DropoutSource Source { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("Dropout", X);
        Kernels.Check.Holds("Dropout", X, Count, type);
        Kernels.Check.Holds("Dropout", Y, Count, type);
        Source.Check("Dropout", Count);
    }
}
