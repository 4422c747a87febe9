namespace Data2Vec.Kernels;

/// <summary>
/// y[i] = x[i] * keep[i div Group] / (1 - p), with the bits of DropoutSource; the gradient is the same call on dy. With
/// Group = the elements of a sample whole samples are dropped (stochastic depth).
/// </summary>
public readonly struct DropoutArgs
{
    /// <summary>Input; y may be x.</summary>
    public BufferView X { get; init; }

    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>Number of elements.</summary>
    public long Count { get; init; }

    /// <summary>Consecutive elements that share one draw, or one element of the keep mask; 1 = each its own.</summary>
    public long Group { get; init; }

    /// <summary>Probability and bits, of Count / Group positions.</summary>
    public DropoutSource Source { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("Dropout", X);
        Kernels.Check.Holds("Dropout", X, Count, type);
        Kernels.Check.Holds("Dropout", Y, Count, type);
        Kernels.Check.That("Dropout", Group >= 1 && Count % Group == 0,
            $"{Count} elements cannot be cut into groups of {Group} that share a draw.");
        Source.Check("Dropout", Count / Group);
    }
}
