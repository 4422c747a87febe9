namespace Data2Vec.Kernels;

/// <summary>
/// y = x, or y += x, element by element over a shape, both sides through strides. Permute, slice (with steps),
/// concat, pad and expand are this call with different strides and offsets, and so are their gradients. Works on
/// every type; adding needs a floating-point type and a y without repeated elements.
/// </summary>
public readonly struct StridedCopyArgs
{
    /// <summary>Source.</summary>
    public BufferView X { get; init; }

    /// <summary>Strides of the source in Shape.</summary>
    public Strides XStrides { get; init; }

    /// <summary>Target, same type.</summary>
    public BufferView Y { get; init; }

    /// <summary>Strides of the target in Shape.</summary>
    public Strides YStrides { get; init; }

    /// <summary>Elements to visit.</summary>
    public Shape Shape { get; init; }

    /// <summary>Add to the target instead of overwriting it.</summary>
    public bool Accumulate { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.That("StridedCopy", X.DType == Y.DType,
            $"source and target must have one type; got {X.DType.Name()} and {Y.DType.Name()}.");
        Kernels.Check.That("StridedCopy", !Accumulate || X.DType.IsFloat(),
            $"adding needs a floating-point type; got {X.DType.Name()}.");
        Kernels.Check.Reaches("StridedCopy", X, Shape, XStrides);
        Kernels.Check.Reaches("StridedCopy", Y, Shape, YStrides);
    }
}

/// <summary>
/// y[i] = value (rounded to the type; 0 or 1 for Bool).
/// </summary>
public readonly struct FillArgs
{
    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>Number of elements.</summary>
    public long Count { get; init; }

    /// <summary>The value.</summary>
    public double Value { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.Holds("Fill", Y, Count, Y.DType);
    }
}

/// <summary>
/// y[i] = x[i] in the type of y: floating-point types round to nearest even, to integers they truncate, from Bool
/// they give 0 or 1, to Bool they give x != 0.
/// </summary>
public readonly struct CastArgs
{
    /// <summary>Input.</summary>
    public BufferView X { get; init; }

    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>Number of elements.</summary>
    public long Count { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.Holds("Cast", X, Count, X.DType);
        Kernels.Check.Holds("Cast", Y, Count, Y.DType);
    }
}
