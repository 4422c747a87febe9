namespace Data2Vec.Kernels;

/// <summary>
/// y[p] = x[p with the extent of Dimension replaced by index[p]]: single elements along one dimension, any type. X has
/// Source as its shape, index and y have Shape, which outside Dimension is at most Source. An index outside [0,
/// Source[Dimension]) is an error naming position and value.
/// </summary>
public readonly struct GatherArgs
{
    /// <summary>Elements to choose from, contiguous.</summary>
    public BufferView X { get; init; }

    /// <summary>Int32 or int64, contiguous.</summary>
    public BufferView Index { get; init; }

    /// <summary>Output, contiguous.</summary>
    public BufferView Y { get; init; }

    /// <summary>Shape of x.</summary>
    public Shape Source { get; init; }

    /// <summary>Shape of index and y.</summary>
    public Shape Shape { get; init; }

    /// <summary>Along which the index counts.</summary>
    public int Dimension { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Lines.Check("Gather", Source, Shape, Dimension);
        Kernels.Check.Holds("Gather", X, Source.Count, X.DType);
        Kernels.Check.Indices("Gather", Index, Shape.Count);
        Kernels.Check.Holds("Gather", Y, Shape.Count, X.DType);
    }
}

/// <summary>
/// y[p with the extent of Dimension replaced by index[p]] = x[p], or with Accumulate += x[p]: elements of one line that
/// meet in one place are added (or win, the last) in their order. Elements that are not named keep what they hold.
/// Index and x have Shape, y has Target. Replacing takes any type, adding floating point.
/// </summary>
public readonly struct ScatterArgs
{
    /// <summary>Elements to write, contiguous.</summary>
    public BufferView X { get; init; }

    /// <summary>Int32 or int64, contiguous.</summary>
    public BufferView Index { get; init; }

    /// <summary>Target, contiguous.</summary>
    public BufferView Y { get; init; }

    /// <summary>Shape of y.</summary>
    public Shape Target { get; init; }

    /// <summary>Shape of index and x.</summary>
    public Shape Shape { get; init; }

    /// <summary>Along which the index counts.</summary>
    public int Dimension { get; init; }

    /// <summary>Add instead of replacing.</summary>
    public bool Accumulate { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Lines.Check("Scatter", Target, Shape, Dimension);
        Kernels.Check.Holds("Scatter", Y, Target.Count, Y.DType);
        Kernels.Check.Indices("Scatter", Index, Shape.Count);
        Kernels.Check.Holds("Scatter", X, Shape.Count, Y.DType);
        if (Accumulate) Kernels.Check.Float("Scatter", Y);
    }
}

/// <summary>
/// The lines of a shape along one dimension: where each begins in a contiguous tensor of that shape, and in one whose
/// other extents may be larger. Lines never meet, so they may be worked on side by side.
/// </summary>
internal readonly struct Lines(Shape shape, Shape whole, int dimension)
{
    private readonly Shape shape = shape;
    private readonly Strides own = shape.Strides;
    private readonly Strides outer = whole.Strides;

    /// <summary>Elements of a line.</summary>
    public int Length { get; } = shape[dimension];

    /// <summary>Lines.</summary>
    public long Count { get; } = shape.With(dimension, 1).Count;

    /// <summary>From one element of a line to the next.</summary>
    public long Step { get; } = shape.Strides[dimension];

    /// <summary>The same in the whole.</summary>
    public long WholeStep { get; } = whole.Strides[dimension];

    /// <summary>Elements of a line of the whole.</summary>
    public int Limit { get; } = whole[dimension];

    public static void Check(string op, Shape whole, Shape shape, int dimension)
    {
        Kernels.Check.That(op, shape.Rank == whole.Rank && dimension >= 0 && dimension < whole.Rank,
            $"shapes {whole} and {shape} must have one rank, of which {dimension} is a dimension.");
        for (var i = 0; i < whole.Rank; i++)
        {
            Kernels.Check.That(op, i == dimension || shape[i] <= whole[i],
                $"indices {shape} must not reach beyond {whole} outside dimension {dimension}.");
        }
    }

    /// <summary>First element of a line, and of the line of the whole it lies in.</summary>
    public (long Own, long Whole) Start(long line)
    {
        long mine = 0, theirs = 0;
        for (var i = shape.Rank - 1; i >= 0; i--)
        {
            if (i == dimension) continue;
            var place = line % shape[i];
            line /= shape[i];
            mine += place * own[i];
            theirs += place * outer[i];
        }
        return (mine, theirs);
    }
}
