namespace Data2Vec.Kernels;

/// <summary>What <see cref="LinearArgs"/> applies to its sums.</summary>
public enum Activation
{
    /// <summary>The identity.</summary>
    None,
    /// <summary>Exact GELU.</summary>
    Gelu,
    /// <summary>The tanh approximation of GELU.</summary>
    GeluTanh,
}

/// <summary>
/// y = activation(x wᵀ + bias): x [Rows, In], w [Out, In], bias [Out], y [Rows, Out], all contiguous. With an
/// activation the sums before it are kept in PreActivation [Rows, Out] when that is given (backward needs them).
/// </summary>
public readonly struct LinearArgs
{
    /// <summary>Input.</summary>
    public BufferView X { get; init; }

    /// <summary>Weight [Out, In].</summary>
    public BufferView W { get; init; }

    /// <summary>Bias [Out], or absent.</summary>
    public BufferView Bias { get; init; }

    /// <summary>Sums before the activation, written; or absent.</summary>
    public BufferView PreActivation { get; init; }

    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>Rows of x and y.</summary>
    public int Rows { get; init; }

    /// <summary>Columns of x.</summary>
    public int In { get; init; }

    /// <summary>Columns of y.</summary>
    public int Out { get; init; }

    /// <summary>Function applied to the sums.</summary>
    public Activation Activation { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("Linear", X);
        Kernels.Check.Holds("Linear", X, (long)Rows * In, type);
        Kernels.Check.Holds("Linear", W, (long)Out * In, type);
        Kernels.Check.HoldsIfGiven("Linear", Bias, Out, type);
        Kernels.Check.HoldsIfGiven("Linear", PreActivation, (long)Rows * Out, type);
        Kernels.Check.Holds("Linear", Y, (long)Rows * Out, type);
    }
}

/// <summary>
/// Gradients of Linear: g = dy * activation'(pre-activation), dx = g w, dw (+)= gᵀ x, dbias (+)= column sums of g.
/// Absent outputs are skipped. With an activation, g is written to Scratch [Rows, Out], which may be DY. Where x itself was
/// activation(sums) of an earlier layer, dx may be the gradient of those sums: dx = (g w) * activation'(sums).
/// </summary>
public readonly struct LinearBackwardArgs
{
    /// <summary>Input of the forward call; may be absent when dw is.</summary>
    public BufferView X { get; init; }

    /// <summary>Weight; may be absent when dx is.</summary>
    public BufferView W { get; init; }

    /// <summary>Kept sums; absent without activation.</summary>
    public BufferView PreActivation { get; init; }

    /// <summary>Gradient of the output.</summary>
    public BufferView DY { get; init; }

    /// <summary>Room for g; absent without activation.</summary>
    public BufferView Scratch { get; init; }

    /// <summary>
    /// Sums [Rows, In] of which x is <see cref="InputActivation"/>; absent without. No output may share its memory.
    /// </summary>
    public BufferView InputPreActivation { get; init; }

    /// <summary>Gradient of x, or of InputPreActivation where that is given; or absent.</summary>
    public BufferView DX { get; init; }

    /// <summary>Gradient of w, or absent.</summary>
    public BufferView DW { get; init; }

    /// <summary>Gradient of bias, or absent.</summary>
    public BufferView DBias { get; init; }

    /// <summary>Rows of x and y.</summary>
    public int Rows { get; init; }

    /// <summary>Columns of x.</summary>
    public int In { get; init; }

    /// <summary>Columns of y.</summary>
    public int Out { get; init; }

    /// <summary>Function applied to the sums.</summary>
    public Activation Activation { get; init; }

    /// <summary>What made x of InputPreActivation; None = dx is the gradient of x.</summary>
    public Activation InputActivation { get; init; }

    /// <summary>Add to dw instead of overwriting it.</summary>
    public bool AccumulateW { get; init; }

    /// <summary>Add to dbias instead of overwriting it.</summary>
    public bool AccumulateBias { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("LinearBackward", DY);
        Kernels.Check.Holds("LinearBackward", DY, (long)Rows * Out, type);
        if (Activation != Activation.None)
        {
            Kernels.Check.Holds("LinearBackward", PreActivation, (long)Rows * Out, type);
            Kernels.Check.Holds("LinearBackward", Scratch, (long)Rows * Out, type);
        }
        if (InputActivation != Activation.None)
        {
            Kernels.Check.Holds("LinearBackward", InputPreActivation, (long)Rows * In, type);
            Kernels.Check.Holds("LinearBackward", DX, (long)Rows * In, type);
        }
        else
        {
            Kernels.Check.That(
                "LinearBackward", InputPreActivation.IsNone, "InputPreActivation was given, but no InputActivation.");
        }
        Kernels.Check.HoldsIfGiven("LinearBackward", DX, (long)Rows * In, type);
        if (!DX.IsNone) Kernels.Check.Holds("LinearBackward", W, (long)Out * In, type);
        Kernels.Check.HoldsIfGiven("LinearBackward", DW, (long)Out * In, type);
        if (!DW.IsNone) Kernels.Check.Holds("LinearBackward", X, (long)Rows * In, type);
        Kernels.Check.HoldsIfGiven("LinearBackward", DBias, Out, type);
    }
}
