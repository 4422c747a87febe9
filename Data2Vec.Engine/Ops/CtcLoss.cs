using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Connectionist temporal classification: -log of the summed probability of all frame labellings that give the
    /// target; see <see cref="CtcLossArgs"/> for the formula. The gradient is that of PyTorch, exp(x) - posterior:
    /// right for log-probabilities that come from <see cref="LogSoftmax"/>. Backward saves the log-probabilities and
    /// [B, T, 2 L + 1] forward variables. Source: Graves et al. 2006.
    /// </summary>
    /// <param name="logProbabilities">[B, T, V], log-softmax over V.</param>
    /// <param name="inputLengths">Frames that count, for every sample.</param>
    /// <param name="targets">Labels of every sample; none may be the blank.</param>
    /// <param name="blank">Class of the blank.</param>
    /// <param name="zeroInfinity">
    /// A target that does not fit into its frames has loss and gradient 0 instead of infinity.
    /// </param>
    /// <param name="reduction">
    /// None or PerRow: one loss a sample; Sum; Mean of the losses divided by max(labels, 1).
    /// </param>
    /// <exception cref="ArgumentException">Shapes, types, lengths or labels do not fit.</exception>
    public static Tensor CtcLoss(
        Tensor logProbabilities, int[] inputLengths, int[][] targets, int blank = 0, bool zeroInfinity = false,
        Reduction reduction = Reduction.Mean)
    {
        var x = logProbabilities;
        Refuse.NotFloat("CtcLoss", x);
        Refuse.Unless(x.Shape.Rank == 3,
            $"CtcLoss: the log-probabilities must be [batch, time, classes]; got {x.Shape}.");
        var (batch, time, classes) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        Refuse.Unless(inputLengths.Length == batch && targets.Length == batch,
            $"CtcLoss: {batch} samples need as many input lengths and targets; "
            + $"got {inputLengths.Length} and {targets.Length}.");
        Refuse.Unless(blank >= 0 && blank < classes,
            $"CtcLoss: the blank must be one of the {classes} classes; got {blank}.");
        for (var b = 0; b < batch; b++)
        {
            Refuse.Unless(inputLengths[b] >= 0 && inputLengths[b] <= time,
                $"CtcLoss: sample {b} has {time} frames; its input length is {inputLengths[b]}.");
            foreach (var label in targets[b])
            {
                Refuse.Unless(label >= 0 && label < classes && label != blank,
                    $"CtcLoss: labels of sample {b} must lie in [0, {classes}) and not be the blank {blank}; "
                    + $"got {label}.");
            }
        }
        var device = x.Device;
        var tape = Tape.Of(x);
        var width = targets.Select(t => t.Length).DefaultIfEmpty(0).Max();
        var padded = new int[batch * width];
        for (var b = 0; b < batch; b++) targets[b].CopyTo(padded, b * width);
        var labels = Tensor.From<int>(device, padded, new Shape(batch, width));
        var frames = Tensor.From<int>(device, inputLengths, new Shape(batch));
        var lengths = Tensor.From<int>(device, Array.ConvertAll(targets, t => t.Length), new Shape(batch));
        var statistics = x.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        var perSample = reduction is Reduction.None or Reduction.PerRow;
        var loss = device.Allocate(perSample ? new Shape(batch) : new Shape(), x.DType);
        var each = device.Allocate(new Shape(batch), statistics);
        var alpha = device.Allocate(new Shape(batch, time, 2 * width + 1), statistics);
        var args = new CtcLossArgs
        {
            X = x.View, Targets = labels.View, InputLengths = frames.View, TargetLengths = lengths.View,
            Loss = loss.View, SampleLoss = each.View, Alpha = alpha.View, Batch = batch, Time = time, Classes = classes,
            MaxTarget = width, Blank = blank, ZeroInfinity = zeroInfinity, Reduction = reduction,
        };
        try
        {
            args.Check();
            device.Backend.CtcLoss(args);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the outputs yet.
            loss.Release();
            each.Release();
            alpha.Release();
            throw;
        }
        if (tape is null)
        {
            each.Release();
            alpha.Release();
            return new Tensor(loss, "CtcLoss");
        }
        return new Tensor(loss, "CtcLoss", tape.Record(new CtcLossNode(tape, x.Node!, x.Ref.Retain(),
            labels.Ref.Retain(), frames.Ref.Retain(), lengths.Ref.Retain(), each, alpha, args)));
    }

    private sealed class CtcLossNode(
        Tape tape, Node input, TensorRef x, TensorRef labels, TensorRef frames, TensorRef lengths, TensorRef each,
        TensorRef alpha, CtcLossArgs forward) : Node(tape, "CtcLoss")
    {
        protected override void Backward(TensorRef dy)
        {
            var dx = input.Open(x.Shape, x.DType);
            var args = new CtcLossBackwardArgs
            {
                X = x.Unchanged(Op), Targets = labels.View, InputLengths = frames.View, TargetLengths = lengths.View,
                SampleLoss = each.View, Alpha = alpha.View, DLoss = dy.View, DX = dx.View, Batch = forward.Batch,
                Time = forward.Time, Classes = forward.Classes, MaxTarget = forward.MaxTarget, Blank = forward.Blank,
                ZeroInfinity = forward.ZeroInfinity, Reduction = forward.Reduction,
            };
            args.Check();
            Backend.CtcLossBackward(args);
            dx.Commit();
        }

        protected override void Release()
        {
            x.Release();
            labels.Release();
            frames.Release();
            lengths.Release();
            each.Release();
            alpha.Release();
        }
    }
}
