using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Cross-entropy of logits with class indices, log-softmax inside; see <see cref="CrossEntropyArgs"/> for the formula
    /// with weights and smoothing. Backward saves the logits and the log-sum-exp of each row.
    /// </summary>
    /// <param name="logits">[..., C].</param>
    /// <param name="target">Int32 or int64, the leading dimensions of logits.</param>
    /// <param name="weight">[C] class weights, or null.</param>
    /// <param name="labelSmoothing">In [0, 1].</param>
    /// <param name="ignoreIndex">Target value that does not count.</param>
    /// <param name="reduction">None or PerRow: one loss per row; Sum; Mean over the weights of counted targets.</param>
    /// <exception cref="ArgumentException">Shapes, types or smoothing do not fit, or the weight is tracked.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A target is no class; the sentence names its row.</exception>
    public static Tensor CrossEntropy(
        Tensor logits, Tensor target, Tensor? weight = null, double labelSmoothing = 0, long ignoreIndex = -100,
        Reduction reduction = Reduction.Mean)
    {
        Refuse.NotFloat("CrossEntropy", logits);
        Refuse.OtherDevices("CrossEntropy", logits, target, weight);
        Refuse.OtherTypes("CrossEntropy", logits, weight);
        Refuse.Unless(logits.Shape.Rank >= 1 && target.Shape == logits.Shape.Slice(0, logits.Shape.Rank - 1),
            $"CrossEntropy: target must have the leading dimensions of logits; got {logits.Shape} and {target.Shape}.");
        Refuse.Tracked("CrossEntropy", "weight", weight);
        var classes = logits.Shape[-1];
        Refuse.Unless(classes >= 1, $"CrossEntropy: there must be at least one class; got logits {logits.Shape}.");
        Refuse.Unless(weight is null || weight.Shape == new Shape(classes),
            $"CrossEntropy: weight must have shape ({classes}); got {weight?.Shape}.");
        var device = logits.Device;
        var rows = target.Count;
        var statistics = logits.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        var perRow = reduction is Reduction.None or Reduction.PerRow;
        var tape = Tape.Of(logits);
        var loss = device.Allocate(perRow ? target.Shape : new Shape(), logits.DType);
        var lse = device.Allocate(new Shape(checked((int)rows)), statistics);
        var total = device.Allocate(new Shape(1), statistics);
        var args = new CrossEntropyArgs
        {
            X = logits.View, Target = target.View, Weight = weight?.View ?? default, Loss = loss.View, LogSumExp = lse.View,
            TotalWeight = total.View, Rows = rows, Classes = classes, Smoothing = labelSmoothing, IgnoreIndex = ignoreIndex,
            Reduction = reduction,
        };
        try
        {
            args.Check();
            device.Backend.CrossEntropy(args);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the output yet.
            loss.Release();
            lse.Release();
            total.Release();
            throw;
        }
        if (tape is null)
        {
            lse.Release();
            total.Release();
            return new Tensor(loss, "CrossEntropy");
        }
        return new Tensor(loss, "CrossEntropy", tape.Record(new CrossEntropyNode(tape, logits.Node!, logits.Ref.Retain(),
            target.Ref.Retain(), weight?.Ref.Retain() ?? default, lse, total, args)));
    }

    private sealed class CrossEntropyNode(
        Tape tape, Node input, TensorRef logits, TensorRef target, TensorRef weight, TensorRef lse, TensorRef total,
        CrossEntropyArgs forward) : Node(tape, "CrossEntropy")
    {
        protected override void Backward(TensorRef dy)
        {
            var dx = input.Open(logits.Shape, logits.DType);
            var args = new CrossEntropyBackwardArgs
            {
                X = logits.Unchanged(Op), Target = target.Unchanged(Op), Weight = weight.Unchanged(Op),
                LogSumExp = lse.View, TotalWeight = total.View, DLoss = dy.View, DX = dx.View, Rows = forward.Rows,
                Classes = forward.Classes, Smoothing = forward.Smoothing, IgnoreIndex = forward.IgnoreIndex,
                Reduction = forward.Reduction,
            };
            args.Check();
            Backend.CrossEntropyBackward(args);
            dx.Commit();
        }

        protected override void Release()
        {
            logits.Release();
            target.Release();
            weight.Release();
            lse.Release();
            total.Release();
        }
    }
}
