namespace Data2Vec.Kernels;

/// <summary>
/// y = activation(LayerNorm over channels of s), s the convolution of x with its bias: <see cref="Conv1dArgs"/> without an
/// activation, then <see cref="LayerNormArgs"/> with rows [Batch * OutTime] of Out columns. s is rounded to its type before it
/// is normalised. Backward is that of the two.
/// </summary>
public readonly struct Conv1dLayerNormArgs
{
    /// <summary>Input [Batch, Time, In].</summary>
    public BufferView X { get; init; }

    /// <summary>Weight [Out, Kernel, GroupIn].</summary>
    public BufferView W { get; init; }

    /// <summary>Bias [Out], or absent.</summary>
    public BufferView Bias { get; init; }

    /// <summary>s, written (shape of y); absent when no gradient is wanted.</summary>
    public BufferView Sum { get; init; }

    /// <summary>Scale [Out], or absent.</summary>
    public BufferView Gamma { get; init; }

    /// <summary>Shift [Out], or absent.</summary>
    public BufferView Beta { get; init; }

    /// <summary>Output [Batch, OutTime, Out].</summary>
    public BufferView Y { get; init; }

    /// <summary>Mean of each row, written; or absent.</summary>
    public BufferView Mean { get; init; }

    /// <summary>1 / sqrt(variance + eps) of each row, written; or absent.</summary>
    public BufferView Rstd { get; init; }

    /// <summary>Extents.</summary>
    public Conv1dShape Shape { get; init; }

    /// <summary>Added to the variance.</summary>
    public double Eps { get; init; }

    /// <summary>Applied to the normalised values.</summary>
    public Activation Activation { get; init; }

    /// <summary>The first half, with its result in a buffer.</summary>
    public Conv1dArgs ConvolutionTo(BufferView sum) => new() { X = X, W = W, Bias = Bias, Y = sum, Shape = Shape };

    /// <summary>The second half, from that buffer.</summary>
    public LayerNormArgs NormOf(BufferView sum) => new()
    {
        X = sum, Sum = sum, Gamma = Gamma, Beta = Beta, Y = Y, Mean = Mean, Rstd = Rstd, Eps = Eps,
        Rows = (long)Shape.Batch * Shape.OutTime, Columns = Shape.Out, Activation = Activation,
    };

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        ConvolutionTo(Y).Check();
        NormOf(Y).Check();
        Kernels.Check.HoldsIfGiven("Conv1dLayerNorm", Sum, Shape.OutputCount, Y.DType);
    }
}

/// <summary>For devices that have no kernel for both.</summary>
internal static class Conv1dThenLayerNorm
{
    /// <summary>One behind the other; without Sum, y holds s in between.</summary>
    public static void Run(IBackend backend, in Conv1dLayerNormArgs a)
    {
        var sum = a.Sum.IsNone ? a.Y : a.Sum;
        backend.Conv1d(a.ConvolutionTo(sum));
        backend.LayerNorm(a.NormOf(sum));
    }
}
