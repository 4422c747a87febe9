using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>y = activation(x wᵀ + bias). Backward saves x, w and, with an activation, the sums before it.</summary>
    /// <param name="x">[..., In].</param>
    /// <param name="w">[Out, In].</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="activation">Applied to the sums in the same pass.</param>
    /// <returns>[..., Out].</returns>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit.</exception>
    public static Tensor Linear(Tensor x, Tensor w, Tensor? bias = null, Activation activation = Activation.None)
    {
        Refuse.NotFloat("Linear", x);
        Refuse.OtherDevices("Linear", x, w, bias);
        Refuse.OtherTypes("Linear", x, w, bias);
        Refuse.Unless(w.Shape.Rank == 2 && x.Shape.Rank >= 1 && x.Shape[-1] == w.Shape[1],
            $"Linear: w must be [out, in] with in = the last dimension of x; got x {x.Shape}, w {w.Shape}.");
        var outs = w.Shape[0];
        Refuse.Unless(bias is null || bias.Shape == new Shape(outs),
            $"Linear: bias must have shape ({outs}) to match w {w.Shape}; got {bias?.Shape}.");
        var rows = checked((int)x.Shape.Slice(0, x.Shape.Rank - 1).Count);
        var device = x.Device;
        var tape = Tape.Of(x, w, bias);
        var shape = x.Shape.With(-1, outs);
        var y = device.Allocate(shape, x.DType);
        var keepSums = tape is not null && activation != Activation.None;
        var sums = keepSums ? device.Allocate(shape, x.DType) : default;
        Layer(x.Ref, w, bias, sums, y, rows, activation);
        if (tape is null) return new Tensor(y, "Linear");
        return new Tensor(y, "Linear", tape.Record(
            new LinearNode(tape, x.Ref.Retain(), w.Ref.Retain(), sums, rows, activation)
            {
                X = x.Node,
                W = w.Node,
                Bias = bias?.Node,
            }));
    }

    /// <summary>The kernel of a layer: y, and the sums before the activation where there is room for them.</summary>
    private static void Layer(
        TensorRef x, Tensor w, Tensor? bias, TensorRef sums, TensorRef y, int rows, Activation activation)
    {
        var args = new LinearArgs
        {
            X = x.View,
            W = w.View,
            Bias = bias?.View ?? default,
            PreActivation = sums.View,
            Y = y.View,
            Rows = rows,
            In = w.Shape[1],
            Out = w.Shape[0],
            Activation = activation,
        };
        args.Check();
        w.Device.Backend.Linear(args);
    }

    private sealed class LinearNode(
        Tape tape, TensorRef x, TensorRef w, TensorRef sums, int rows, Activation activation) : Node(tape, "Linear")
    {
        public Node? X { get; init; }

        public Node? W { get; init; }

        public Node? Bias { get; init; }

        protected override void Backward(TensorRef dy)
        {
            var alone = activation != Activation.None && dy.Storage!.IsExclusive;
            var scratch = activation == Activation.None ? default : alone ? dy : Tape.Device.Allocate(dy.Shape, dy.DType);
            var dx = X.OpenIfTracked(x.Shape, x.DType);
            var dw = W.OpenIfTracked(w.Shape, w.DType, canAccumulate: true);
            var dBias = Bias.OpenIfTracked(new Shape(w.Shape[0]), w.DType, canAccumulate: true);
            var args = new LinearBackwardArgs
            {
                X = x.Unchanged(Op),
                W = w.Unchanged(Op),
                PreActivation = sums.View,
                DY = dy.View,
                Scratch = scratch.View,
                DX = dx.View,
                DW = dw.View,
                DBias = dBias.View,
                Rows = rows,
                In = w.Shape[1],
                Out = w.Shape[0],
                Activation = activation,
                AccumulateW = dw.Accumulate,
                AccumulateBias = dBias.Accumulate,
            };
            args.Check();
            Backend.LinearBackward(args);
            if (!alone) scratch.Release();
            dx.Commit();
            dw.Commit();
            dBias.Commit();
        }

        protected override void Release()
        {
            x.Release();
            w.Release();
            sums.Release();
        }
    }
}
