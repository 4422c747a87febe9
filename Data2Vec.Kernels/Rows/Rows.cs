namespace Data2Vec.Kernels;

/// <summary>
/// y[i] = x[rows[i]] for i &lt; Count: x [XRows, Columns], y [Count, Columns], any type. An index outside [0, XRows)
/// is an error naming position and value.
/// </summary>
public readonly struct GatherRowsArgs
{
    /// <summary>Source rows.</summary>
    public BufferView X { get; init; }

    /// <summary>Int32 or int64 [Count].</summary>
    public BufferView Rows { get; init; }

    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>Rows to gather.</summary>
    public long Count { get; init; }

    /// <summary>Elements per row.</summary>
    public int Columns { get; init; }

    /// <summary>Rows of the source.</summary>
    public long XRows { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.Holds("GatherRows", X, XRows * Columns, X.DType);
        Kernels.Check.Indices("GatherRows", Rows, Count);
        Kernels.Check.Holds("GatherRows", Y, Count * Columns, X.DType);
    }
}

/// <summary>
/// y[rows[i]] = x[i], or with Accumulate y[rows[i]] += x[i] (repeated indices add in order of i): x [Count,
/// Columns], y [YRows, Columns]. Rows that are not named keep what they hold. A row equal to IgnoreRow is skipped
/// (the padding row of an embedding).
/// </summary>
public readonly struct ScatterRowsArgs
{
    /// <summary>Rows to write.</summary>
    public BufferView X { get; init; }

    /// <summary>Int32 or int64 [Count].</summary>
    public BufferView Rows { get; init; }

    /// <summary>Target.</summary>
    public BufferView Y { get; init; }

    /// <summary>Rows to scatter.</summary>
    public long Count { get; init; }

    /// <summary>Elements per row.</summary>
    public int Columns { get; init; }

    /// <summary>Rows of the target.</summary>
    public long YRows { get; init; }

    /// <summary>Add instead of replacing; the last of equal indices wins otherwise.</summary>
    public bool Accumulate { get; init; }

    /// <summary>Index to skip; -1 = none.</summary>
    public long IgnoreRow { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.Holds("ScatterRows", X, Count * Columns, X.DType);
        Kernels.Check.Indices("ScatterRows", Rows, Count);
        Kernels.Check.Holds("ScatterRows", Y, YRows * Columns, X.DType);
        Kernels.Check.That("ScatterRows", !Accumulate || X.DType.IsFloat(),
            $"adding needs a floating-point type; got {X.DType.Name()}.");
    }
}

/// <summary>
/// y[i] = mask[i] ? vector : x[i]: x, y [Count, Columns], mask Bool [Count], vector [Columns]; an absent vector
/// stands for zeros (padding).
/// </summary>
public readonly struct MaskRowsArgs
{
    /// <summary>Input; y may be x.</summary>
    public BufferView X { get; init; }

    /// <summary>Bool [Count].</summary>
    public BufferView Mask { get; init; }

    /// <summary>Replacement [Columns], or absent = zeros.</summary>
    public BufferView Vector { get; init; }

    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>Rows.</summary>
    public long Count { get; init; }

    /// <summary>Elements per row.</summary>
    public int Columns { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("MaskRows", X);
        Kernels.Check.Holds("MaskRows", X, Count * Columns, type);
        Kernels.Check.Holds("MaskRows", Mask, Count, DType.Bool);
        Kernels.Check.HoldsIfGiven("MaskRows", Vector, Columns, type);
        Kernels.Check.Holds("MaskRows", Y, Count * Columns, type);
    }
}

/// <summary>
/// dx[i] = mask[i] ? 0 : dy[i]; dvector (+)= sum of dy over masked rows, in chunks fixed by the shape.
/// </summary>
public readonly struct MaskRowsBackwardArgs
{
    /// <summary>Bool [Count].</summary>
    public BufferView Mask { get; init; }

    /// <summary>Gradient of the output.</summary>
    public BufferView DY { get; init; }

    /// <summary>Gradient of x, or absent; may be dy.</summary>
    public BufferView DX { get; init; }

    /// <summary>Gradient of the vector, or absent.</summary>
    public BufferView DVector { get; init; }

    /// <summary>Rows.</summary>
    public long Count { get; init; }

    /// <summary>Elements per row.</summary>
    public int Columns { get; init; }

    /// <summary>Add to dvector.</summary>
    public bool Accumulate { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("MaskRowsBackward", DY);
        Kernels.Check.Holds("MaskRowsBackward", Mask, Count, DType.Bool);
        Kernels.Check.Holds("MaskRowsBackward", DY, Count * Columns, type);
        Kernels.Check.HoldsIfGiven("MaskRowsBackward", DX, Count * Columns, type);
        Kernels.Check.HoldsIfGiven("MaskRowsBackward", DVector, Columns, type);
    }
}
