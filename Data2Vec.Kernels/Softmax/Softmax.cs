namespace Data2Vec.Kernels;

/// <summary>
/// Over the middle dimension of [Outer, Length, Inner]: y = exp(x - max) / sum, or with Log y = x - max - log(sum).
/// A row of only -inf gives NaN, as the formula does.
/// </summary>
public readonly struct SoftmaxArgs
{
    /// <summary>Input.</summary>
    public BufferView X { get; init; }

    /// <summary>Output; may be x.</summary>
    public BufferView Y { get; init; }

    /// <summary>Product of the dimensions before.</summary>
    public long Outer { get; init; }

    /// <summary>Elements of one softmax.</summary>
    public int Length { get; init; }

    /// <summary>Product of the dimensions behind.</summary>
    public long Inner { get; init; }

    /// <summary>Log-softmax instead.</summary>
    public bool Log { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("Softmax", X);
        Kernels.Check.Holds("Softmax", X, Outer * Length * Inner, type);
        Kernels.Check.Holds("Softmax", Y, Outer * Length * Inner, type);
    }
}

/// <summary>
/// dx = y * (dy - sum(y * dy)); with Log: dx = dy - exp(y) * sum(dy).
/// </summary>
public readonly struct SoftmaxBackwardArgs
{
    /// <summary>Output of the forward call.</summary>
    public BufferView Y { get; init; }

    /// <summary>Its gradient.</summary>
    public BufferView DY { get; init; }

    /// <summary>Gradient of x, written; may be dy.</summary>
    public BufferView DX { get; init; }

    /// <summary>Product of the dimensions before.</summary>
    public long Outer { get; init; }

    /// <summary>Elements of one softmax.</summary>
    public int Length { get; init; }

    /// <summary>Product of the dimensions behind.</summary>
    public long Inner { get; init; }

    /// <summary>Log-softmax instead.</summary>
    public bool Log { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("SoftmaxBackward", Y);
        Kernels.Check.Holds("SoftmaxBackward", Y, Outer * Length * Inner, type);
        Kernels.Check.Holds("SoftmaxBackward", DY, Outer * Length * Inner, type);
        Kernels.Check.Holds("SoftmaxBackward", DX, Outer * Length * Inner, type);
    }
}
