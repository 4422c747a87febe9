namespace Data2Vec.Kernels;

/// <summary>
/// Connectionist temporal classification: the loss of sample b is -log of the summed probability of all frame
/// labellings that give its target when repeats are merged and blanks dropped. X [Batch, Time, Classes]
/// log-probabilities; Targets int32 [Batch, MaxTarget], of which the first TargetLengths[b] count; InputLengths frames
/// of a sample count. With the states s = 0 ... 2 L of the target with blanks around every label, l[s] their classes
/// and e[t, s] = x[b, t, l[s]]: alpha[0] = e[0] for s in {0, 1}; alpha[t, s] = e[t, s] + log(exp alpha[t-1, s] + exp
/// alpha[t-1, s-1] + exp alpha[t-1, s-2]), the last term only for a label that differs from l[s-2]; loss = -log(exp
/// alpha[n-1, 2L] + exp alpha[n-1, 2L-1]). An impossible target: infinity, or 0 with ZeroInfinity. No frames: 0 for an
/// empty target, else impossible. Mean: every loss divided by max(L, 1), then averaged over Batch. Source: Graves et
/// al. 2006, section 4.1; blanks, lengths and reductions as PyTorch's ctc_loss.
/// </summary>
public readonly struct CtcLossArgs
{
    /// <summary>Log-probabilities.</summary>
    public BufferView X { get; init; }

    /// <summary>Labels; those past a target's length are not read.</summary>
    public BufferView Targets { get; init; }

    /// <summary>int32 [Batch]: frames that count, at most Time.</summary>
    public BufferView InputLengths { get; init; }

    /// <summary>int32 [Batch]: labels that count, at most MaxTarget.</summary>
    public BufferView TargetLengths { get; init; }

    /// <summary>[Batch] for None or PerRow, else one element.</summary>
    public BufferView Loss { get; init; }

    /// <summary>
    /// [Batch], written: the loss of every sample before ZeroInfinity and reduction; float64 when X is, else float32.
    /// </summary>
    public BufferView SampleLoss { get; init; }

    /// <summary>
    /// [Batch, Time, 2 MaxTarget + 1], written: alpha less the largest of its frame, -inf for states from which the
    /// target cannot be finished any more; what follows the last frame or state of a sample is not written. Type of
    /// SampleLoss.
    /// </summary>
    public BufferView Alpha { get; init; }

    /// <summary>Samples.</summary>
    public int Batch { get; init; }

    /// <summary>Frames of every sample in memory.</summary>
    public int Time { get; init; }

    /// <summary>Classes, the blank among them.</summary>
    public int Classes { get; init; }

    /// <summary>Labels of every sample in memory.</summary>
    public int MaxTarget { get; init; }

    /// <summary>Class of the blank.</summary>
    public int Blank { get; init; }

    /// <summary>An impossible target has loss 0 and gradient 0.</summary>
    public bool ZeroInfinity { get; init; }

    /// <summary>How samples are combined.</summary>
    public Reduction Reduction { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var statistics = CtcLayout.Check("CtcLoss", X, Targets, InputLengths, TargetLengths,
            Batch, Time, Classes, MaxTarget, Blank);
        Kernels.Check.Holds("CtcLoss", Loss, Reduction is Reduction.None or Reduction.PerRow ? Batch : 1, X.DType);
        Kernels.Check.Holds("CtcLoss", SampleLoss, Batch, statistics);
        Kernels.Check.Holds("CtcLoss", Alpha, (long)Batch * Time * (2 * MaxTarget + 1), statistics);
    }
}

/// <summary>
/// dx[b, t, c] = dloss[b] * (exp x[b, t, c] - posterior of class c at frame t), PyTorch's rule: with the softmax term
/// inside, it is the derivative for rows that are log-softmax (whose own gradient leaves it as it is), where the plain
/// one would be -posterior. The posterior sums exp(alpha + beta) over the states of class c and is normalised over the
/// states of the frame; beta[n-1, s] = 0 for the two last states; beta[t, s] = log(exp(beta + e)[t+1, s] + exp(beta +
/// e)[t+1, s+1] + exp(beta + e)[t+1, s+2]), the last term as in the forward call. 0 behind the last frame; an
/// impossible target gives NaN, or 0 with ZeroInfinity.
/// </summary>
public readonly struct CtcLossBackwardArgs
{
    /// <summary>Log-probabilities.</summary>
    public BufferView X { get; init; }

    /// <summary>Labels.</summary>
    public BufferView Targets { get; init; }

    /// <summary>Frames that count.</summary>
    public BufferView InputLengths { get; init; }

    /// <summary>Labels that count.</summary>
    public BufferView TargetLengths { get; init; }

    /// <summary>Kept by the forward call.</summary>
    public BufferView SampleLoss { get; init; }

    /// <summary>Kept by the forward call.</summary>
    public BufferView Alpha { get; init; }

    /// <summary>Gradient of the loss.</summary>
    public BufferView DLoss { get; init; }

    /// <summary>Gradient of the log-probabilities, written.</summary>
    public BufferView DX { get; init; }

    /// <summary>Samples.</summary>
    public int Batch { get; init; }

    /// <summary>Frames of every sample in memory.</summary>
    public int Time { get; init; }

    /// <summary>Classes.</summary>
    public int Classes { get; init; }

    /// <summary>Labels of every sample in memory.</summary>
    public int MaxTarget { get; init; }

    /// <summary>Class of the blank.</summary>
    public int Blank { get; init; }

    /// <summary>An impossible target has gradient 0.</summary>
    public bool ZeroInfinity { get; init; }

    /// <summary>How samples were combined.</summary>
    public Reduction Reduction { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var statistics = CtcLayout.Check("CtcLossBackward", X, Targets, InputLengths, TargetLengths,
            Batch, Time, Classes, MaxTarget, Blank);
        var losses = Reduction is Reduction.None or Reduction.PerRow ? Batch : 1;
        Kernels.Check.Holds("CtcLossBackward", SampleLoss, Batch, statistics);
        Kernels.Check.Holds("CtcLossBackward", Alpha, (long)Batch * Time * (2 * MaxTarget + 1), statistics);
        Kernels.Check.Holds("CtcLossBackward", DLoss, losses, X.DType);
        Kernels.Check.Holds("CtcLossBackward", DX, (long)Batch * Time * Classes, X.DType);
    }
}

internal static class CtcLayout
{
    /// <summary>Checks what both calls read; gives the type of what is kept between them.</summary>
    public static DType Check(
        string op, BufferView x, BufferView targets, BufferView inputLengths, BufferView targetLengths, int batch,
        int time, int classes, int maxTarget, int blank)
    {
        var type = Kernels.Check.Float(op, x);
        Kernels.Check.That(op, blank >= 0 && blank < classes,
            $"the blank must be one of the {classes} classes; got {blank}.");
        Kernels.Check.Holds(op, x, (long)batch * time * classes, type);
        Kernels.Check.Holds(op, targets, (long)batch * maxTarget, DType.Int32);
        Kernels.Check.Holds(op, inputLengths, batch, DType.Int32);
        Kernels.Check.Holds(op, targetLengths, batch, DType.Int32);
        return type == DType.Float64 ? type : DType.Float32;
    }

    /// <summary>Refuses lengths that reach outside the operands.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The sentence names the sample and the value.</exception>
    public static void CheckLengths(int sample, int frames, int time, int labels, int maxTarget)
    {
        if (frames < 0 || frames > time)
        {
            throw new ArgumentOutOfRangeException(null,
                $"CtcLoss: sample {sample} has {time} frames; its input length is {frames}.");
        }
        if (labels < 0 || labels > maxTarget)
        {
            throw new ArgumentOutOfRangeException(null,
                $"CtcLoss: sample {sample} has room for {maxTarget} labels; its target length is {labels}.");
        }
    }

    /// <summary>Refuses a label that is no class.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The sentence names the sample and the value.</exception>
    public static int CheckLabel(int sample, int label, int classes) => label >= 0 && label < classes ? label
        : throw new ArgumentOutOfRangeException(null,
            $"CtcLoss: labels of sample {sample} must lie in [0, {classes}); got {label}.");
}
