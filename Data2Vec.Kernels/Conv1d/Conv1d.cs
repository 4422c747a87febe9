namespace Data2Vec.Kernels;

/// <summary>The extents of a one-dimensional convolution, channels last.</summary>
/// <param name="Batch">Samples.</param>
/// <param name="Time">Frames of the input, without padding.</param>
/// <param name="In">Channels of the input.</param>
/// <param name="Out">Channels of the output.</param>
/// <param name="Kernel">Taps.</param>
/// <param name="Stride">Input frames from one output frame to the next.</param>
/// <param name="Padding">Frames of zeros before and after the input.</param>
/// <param name="Dilation">Input frames from one tap to the next.</param>
/// <param name="Groups">Parts of the channels that do not see each other.</param>
public readonly record struct Conv1dShape(
    int Batch, int Time, int In, int Out, int Kernel, int Stride, int Padding, int Dilation, int Groups)
{
    /// <summary>Input frames that one output frame sees: Dilation * (Kernel - 1) + 1.</summary>
    public long Field => (long)Dilation * (Kernel - 1) + 1;

    /// <summary>Frames of the output: floor((Time + 2 Padding - Field) / Stride) + 1.</summary>
    public int OutTime => checked((int)((Time + 2L * Padding - Field) / Stride + 1));

    /// <summary>Input channels of one group.</summary>
    public int GroupIn => In / Groups;

    /// <summary>Output channels of one group.</summary>
    public int GroupOut => Out / Groups;

    /// <summary>Elements of the input.</summary>
    public long InputCount => (long)Batch * Time * In;

    /// <summary>Elements of the output.</summary>
    public long OutputCount => (long)Batch * OutTime * Out;

    /// <summary>Elements of the weight.</summary>
    public long WeightCount => (long)Out * Kernel * GroupIn;

    /// <summary>Refuses extents that are no convolution.</summary>
    /// <exception cref="ArgumentException">One sentence with the extent and what was expected.</exception>
    public void Check(string op)
    {
        Kernels.Check.That(op, Stride >= 1, $"the stride must be at least 1; got {Stride}.");
        Kernels.Check.That(op, Padding >= 0, $"the padding must not be negative; got {Padding}.");
        Kernels.Check.That(op, Dilation >= 1, $"the dilation must be at least 1; got {Dilation}.");
        Kernels.Check.That(op, Groups >= 1, $"there must be at least 1 group; got {Groups}.");
        Kernels.Check.That(op, In >= 1 && Out >= 1 && Kernel >= 1,
            $"channels and kernel must be at least 1; got {In} in, {Out} out, kernel {Kernel}.");
        Kernels.Check.That(op, In % Groups == 0 && Out % Groups == 0,
            $"{Groups} groups must divide the channels; got {In} in, {Out} out.");
        Kernels.Check.That(op, Batch >= 0 && Time >= 0 && Field <= Time + 2L * Padding,
            $"the kernel needs {Field} frames; got {Time} and {Padding} of padding on each side.");
    }
}

/// <summary>
/// y[b, t, o] = activation(bias[o] + sum over k, c of x[b, t * Stride - Padding + k * Dilation, g * GroupIn + c] * w[o,
/// k, c]), where g = o / GroupOut is the group of o and frames outside x are 0. x [Batch, Time, In], w [Out, Kernel,
/// GroupIn], bias [Out], y [Batch, OutTime, Out], all contiguous. With an activation the sums before it are kept in
/// PreActivation (shape of y) when that is given (backward needs them). The sums run over taps, then channels, in an
/// order fixed by the shape.
/// </summary>
public readonly struct Conv1dArgs
{
    /// <summary>Input.</summary>
    public BufferView X { get; init; }

    /// <summary>Weight [Out, Kernel, GroupIn].</summary>
    public BufferView W { get; init; }

    /// <summary>Bias [Out], or absent.</summary>
    public BufferView Bias { get; init; }

    /// <summary>Sums before the activation, written; or absent.</summary>
    public BufferView PreActivation { get; init; }

    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>Extents.</summary>
    public Conv1dShape Shape { get; init; }

    /// <summary>Function applied to the sums.</summary>
    public Activation Activation { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Shape.Check("Conv1d");
        var type = Kernels.Check.Float("Conv1d", X);
        Kernels.Check.Holds("Conv1d", X, Shape.InputCount, type);
        Kernels.Check.Holds("Conv1d", W, Shape.WeightCount, type);
        Kernels.Check.HoldsIfGiven("Conv1d", Bias, Shape.Out, type);
        Kernels.Check.HoldsIfGiven("Conv1d", PreActivation, Shape.OutputCount, type);
        Kernels.Check.Holds("Conv1d", Y, Shape.OutputCount, type);
    }
}

/// <summary>
/// Gradients of Conv1d, with g = dy * activation'(pre-activation): dx[b, u, c] = sum of g[b, t, o] * w[o, k, c] over
/// all t, k with t * Stride - Padding + k * Dilation = u and all o of the group of c; dw[o, k, c] (+)= sum over b, t of
/// g[b, t, o] * x[b, t * Stride - Padding + k * Dilation, c]; dbias (+)= sums of g over b, t. Absent outputs are
/// skipped. With an activation, g is written to Scratch (shape of y), which may be DY.
/// </summary>
public readonly struct Conv1dBackwardArgs
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

    /// <summary>Gradient of x, or absent.</summary>
    public BufferView DX { get; init; }

    /// <summary>Gradient of w, or absent.</summary>
    public BufferView DW { get; init; }

    /// <summary>Gradient of bias, or absent.</summary>
    public BufferView DBias { get; init; }

    /// <summary>Extents.</summary>
    public Conv1dShape Shape { get; init; }

    /// <summary>Function applied to the sums.</summary>
    public Activation Activation { get; init; }

    /// <summary>Add to dw instead of overwriting it.</summary>
    public bool AccumulateW { get; init; }

    /// <summary>Add to dbias instead of overwriting it.</summary>
    public bool AccumulateBias { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Shape.Check("Conv1dBackward");
        var type = Kernels.Check.Float("Conv1dBackward", DY);
        Kernels.Check.Holds("Conv1dBackward", DY, Shape.OutputCount, type);
        if (Activation != Activation.None)
        {
            Kernels.Check.Holds("Conv1dBackward", PreActivation, Shape.OutputCount, type);
            Kernels.Check.Holds("Conv1dBackward", Scratch, Shape.OutputCount, type);
        }
        Kernels.Check.HoldsIfGiven("Conv1dBackward", DX, Shape.InputCount, type);
        if (!DX.IsNone) Kernels.Check.Holds("Conv1dBackward", W, Shape.WeightCount, type);
        Kernels.Check.HoldsIfGiven("Conv1dBackward", DW, Shape.WeightCount, type);
        if (!DW.IsNone) Kernels.Check.Holds("Conv1dBackward", X, Shape.InputCount, type);
        Kernels.Check.HoldsIfGiven("Conv1dBackward", DBias, Shape.Out, type);
    }
}
