namespace Data2Vec.Kernels;

/// <summary>Functions of one argument; a and b are the scalar parameters of <see cref="UnaryArgs"/>.</summary>
public enum UnaryOp
{
#pragma warning disable CS1591 // each name is its own description; the formula is in the comment behind it
    Affine, // a * x + b
    Abs, // derivative 0 at 0
    Exp,
    Log,
    Sqrt,
    Rsqrt,
    Reciprocal,
    Tanh,
    Sigmoid,
    Relu, // derivative 0 at 0
    Silu, // x * sigmoid(x)
    Gelu, // x * Phi(x), exact (erf)
    GeluTanh, // the tanh approximation
    Erf,
    Square,
    PowScalar, // x ^ a
    Clamp, // max(a, min(b, x)), b wins when a > b; derivative 1 at the bounds
    Sign, // derivative 0
    Floor, // derivative 0
    Truncate, // derivative 0
    Softplus, // log(1 + e^x)
#pragma warning restore CS1591
}

/// <summary>Functions of two arguments; the comparisons give Bool and have no derivative.</summary>
public enum BinaryOp
{
#pragma warning disable CS1591
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Maximum, // a tie gives half the gradient to each side; NaN wins
    Minimum,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
#pragma warning restore CS1591
}

/// <summary>
/// y[i] = f(x[i]) for contiguous operands of one floating-point type; y may be x.
/// </summary>
public readonly struct UnaryArgs
{
    /// <summary>The function.</summary>
    public UnaryOp Op { get; init; }

    /// <summary>Input, Count elements.</summary>
    public BufferView X { get; init; }

    /// <summary>Output, Count elements.</summary>
    public BufferView Y { get; init; }

    /// <summary>Number of elements.</summary>
    public long Count { get; init; }

    /// <summary>First scalar parameter.</summary>
    public double A { get; init; }

    /// <summary>Second scalar parameter.</summary>
    public double B { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.Holds("Unary", X, Count, Kernels.Check.Float("Unary", X));
        Kernels.Check.Holds("Unary", Y, Count, X.DType);
    }
}

/// <summary>
/// dx[i] = dy[i] * f'(x[i]); dx may be dy.
/// </summary>
public readonly struct UnaryBackwardArgs
{
    /// <summary>The function.</summary>
    public UnaryOp Op { get; init; }

    /// <summary>Input of the forward call.</summary>
    public BufferView X { get; init; }

    /// <summary>Gradient of its output.</summary>
    public BufferView DY { get; init; }

    /// <summary>Gradient of the input, written.</summary>
    public BufferView DX { get; init; }

    /// <summary>Number of elements.</summary>
    public long Count { get; init; }

    /// <summary>First scalar parameter.</summary>
    public double A { get; init; }

    /// <summary>Second scalar parameter.</summary>
    public double B { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.Holds("UnaryBackward", X, Count, Kernels.Check.Float("UnaryBackward", X));
        Kernels.Check.Holds("UnaryBackward", DY, Count, X.DType);
        Kernels.Check.Holds("UnaryBackward", DX, Count, X.DType);
    }
}

/// <summary>
/// z = f(x, y) over a broadcast shape: z is contiguous, x and y are read through strides (0 repeats). The
/// comparisons write Bool; Equal and NotEqual also take integers and Bool.
/// </summary>
public readonly struct BinaryArgs
{
    /// <summary>The function.</summary>
    public BinaryOp Op { get; init; }

    /// <summary>Left operand.</summary>
    public BufferView X { get; init; }

    /// <summary>Right operand, same type.</summary>
    public BufferView Y { get; init; }

    /// <summary>Output, Shape.Count elements.</summary>
    public BufferView Z { get; init; }

    /// <summary>The broadcast shape.</summary>
    public Shape Shape { get; init; }

    /// <summary>Strides of x in that shape.</summary>
    public Strides XStrides { get; init; }

    /// <summary>Strides of y in that shape.</summary>
    public Strides YStrides { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.That("Binary", X.DType == Y.DType,
            $"operands must have one type; got {X.DType.Name()} and {Y.DType.Name()}.");
        Kernels.Check.That("Binary", X.DType.IsFloat() || Op is BinaryOp.Equal or BinaryOp.NotEqual,
            $"{Op} needs floating-point operands; got {X.DType.Name()}.");
        Kernels.Check.Reaches("Binary", X, Shape, XStrides);
        Kernels.Check.Reaches("Binary", Y, Shape, YStrides);
        Kernels.Check.Holds("Binary", Z, Shape.Count, Op >= BinaryOp.Equal ? DType.Bool : X.DType);
    }
}

/// <summary>
/// dx = dz * df/dx and dy = dz * df/dy, both contiguous over the broadcast shape (the caller sums them over the
/// repeated dimensions). Either output may be absent; dx or dy may be dz.
/// </summary>
public readonly struct BinaryBackwardArgs
{
    /// <summary>The function; not a comparison.</summary>
    public BinaryOp Op { get; init; }

    /// <summary>Left operand.</summary>
    public BufferView X { get; init; }

    /// <summary>Right operand.</summary>
    public BufferView Y { get; init; }

    /// <summary>Gradient of the output, contiguous.</summary>
    public BufferView DZ { get; init; }

    /// <summary>Gradient by x, or absent.</summary>
    public BufferView DX { get; init; }

    /// <summary>Gradient by y, or absent.</summary>
    public BufferView DY { get; init; }

    /// <summary>The broadcast shape.</summary>
    public Shape Shape { get; init; }

    /// <summary>Strides of x in that shape.</summary>
    public Strides XStrides { get; init; }

    /// <summary>Strides of y in that shape.</summary>
    public Strides YStrides { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.That("BinaryBackward", Op < BinaryOp.Equal, $"{Op} has no derivative.");
        Kernels.Check.Reaches("BinaryBackward", X, Shape, XStrides);
        Kernels.Check.Reaches("BinaryBackward", Y, Shape, YStrides);
        Kernels.Check.Holds("BinaryBackward", DZ, Shape.Count, X.DType);
        Kernels.Check.HoldsIfGiven("BinaryBackward", DX, Shape.Count, X.DType);
        Kernels.Check.HoldsIfGiven("BinaryBackward", DY, Shape.Count, X.DType);
    }
}

/// <summary>
/// z = condition ? x : y over a broadcast shape; z contiguous. Masked fill is this with a scalar x.
/// </summary>
public readonly struct WhereArgs
{
    /// <summary>Bool.</summary>
    public BufferView Condition { get; init; }

    /// <summary>Taken where the condition holds.</summary>
    public BufferView X { get; init; }

    /// <summary>Taken elsewhere, same type.</summary>
    public BufferView Y { get; init; }

    /// <summary>Output, contiguous.</summary>
    public BufferView Z { get; init; }

    /// <summary>The broadcast shape.</summary>
    public Shape Shape { get; init; }

    /// <summary>Strides of the condition.</summary>
    public Strides ConditionStrides { get; init; }

    /// <summary>Strides of x.</summary>
    public Strides XStrides { get; init; }

    /// <summary>Strides of y.</summary>
    public Strides YStrides { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.That("Where", Condition.DType == DType.Bool,
            $"the condition must be bool; got {Condition.DType.Name()}.");
        Kernels.Check.That("Where", X.DType == Y.DType,
            $"operands must have one type; got {X.DType.Name()} and {Y.DType.Name()}.");
        Kernels.Check.Reaches("Where", Condition, Shape, ConditionStrides);
        Kernels.Check.Reaches("Where", X, Shape, XStrides);
        Kernels.Check.Reaches("Where", Y, Shape, YStrides);
        Kernels.Check.Holds("Where", Z, Shape.Count, X.DType);
    }
}
