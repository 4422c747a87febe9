using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Smooth L1 between rows of x and a target: |d| &lt; beta: d² / (2 beta), else |d| - beta / 2; beta = 0 is L2 (d²).
    /// Backward saves both operands. Source: Baevski et al. 2022, section 3.3.
    /// </summary>
    /// <param name="x">[N, D]; or the shape of target when no rows are given.</param>
    /// <param name="target">[M, D].</param>
    /// <param name="rows">[M] rows of x that are compared, int32 or int64; null = all.</param>
    /// <param name="beta">Where the parabola ends.</param>
    /// <param name="reduction">Per element, per row, sum or mean.</param>
    /// <param name="scale">Factor on the result.</param>
    /// <exception cref="ArgumentException">Shapes, types or beta do not fit.</exception>
    public static Tensor SmoothL1(
        Tensor x, Tensor target, Tensor? rows = null, double beta = 1, Reduction reduction = Reduction.Mean, double scale = 1)
    {
        Refuse.NotFloat("SmoothL1", x);
        Refuse.OtherDevices("SmoothL1", x, target, rows);
        Refuse.OtherTypes("SmoothL1", x, target);
        Refuse.Unless(rows is null ? x.Shape == target.Shape
                : x.Shape.Rank == 2 && target.Shape == new Shape((int)rows.Count, x.Shape[1]),
            $"SmoothL1: target must match the compared rows of x; got x {x.Shape}, target {target.Shape}, rows {rows?.Shape}.");
        var columns = x.Shape.Rank == 0 ? 1 : x.Shape[-1];
        var count = columns == 0 ? 0 : target.Count / columns;
        var shape = reduction switch
        {
            Reduction.None => target.Shape,
            Reduction.PerRow => target.Shape.Slice(0, Math.Max(0, target.Shape.Rank - 1)),
            _ => new Shape(),
        };
        var tape = Tape.Of(x, target);
        var loss = x.Device.Allocate(shape, x.DType);
        var args = new SmoothL1Args
        {
            X = x.View, Rows = rows?.View ?? default, Target = target.View, Loss = loss.View, Count = count,
            Columns = columns, XRows = columns == 0 ? 0 : x.Count / columns, Beta = beta, Reduction = reduction, Scale = scale,
        };
        try
        {
            args.Check();
            x.Device.Backend.SmoothL1(args);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the output yet.
            loss.Release();
            throw;
        }
        if (tape is null) return new Tensor(loss, "SmoothL1");
        return new Tensor(loss, "SmoothL1", tape.Record(new SmoothL1Node(
            tape, x.Ref.Retain(), target.Ref.Retain(), rows?.Ref.Retain() ?? default, args)
        {
            X = x.Node,
            Target = target.Node,
        }));
    }

    private sealed class SmoothL1Node(Tape tape, TensorRef x, TensorRef target, TensorRef rows, SmoothL1Args forward)
        : Node(tape, "SmoothL1")
    {
        public Node? X { get; init; }

        public Node? Target { get; init; }

        protected override void Backward(TensorRef dy)
        {
            var dx = X.OpenIfTracked(x.Shape, x.DType);
            var dTarget = Target.OpenIfTracked(target.Shape, x.DType);
            var args = new SmoothL1BackwardArgs
            {
                X = x.Unchanged(Op), Rows = rows.Unchanged(Op), Target = target.Unchanged(Op), DLoss = dy.View,
                DX = dx.View, DTarget = dTarget.View, Count = forward.Count, Columns = forward.Columns,
                XRows = forward.XRows, Beta = forward.Beta, Reduction = forward.Reduction, Scale = forward.Scale,
            };
            args.Check();
            Backend.SmoothL1Backward(args);
            dx.Commit();
            dTarget.Commit();
        }

        protected override void Release()
        {
            x.Release();
            target.Release();
            rows.Release();
        }
    }
}
