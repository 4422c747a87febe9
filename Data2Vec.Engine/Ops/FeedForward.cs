using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// y = activation(x w1ᵀ + b1) w2ᵀ + b2: two layers as one operation, so that the product which gives the gradient of what is
    /// between them multiplies by the slopes of the activation itself. Backward saves x, w1, w2, the sums before the activation
    /// and what it made of them, as far as somebody asks for the gradients that need them.
    /// </summary>
    /// <param name="x">[..., In].</param>
    /// <param name="w1">[Inner, In].</param>
    /// <param name="b1">[Inner], or null.</param>
    /// <param name="w2">[Out, Inner].</param>
    /// <param name="b2">[Out], or null.</param>
    /// <param name="activation">Applied between the layers.</param>
    /// <returns>[..., Out].</returns>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit.</exception>
    public static Tensor FeedForward(
        Tensor x, Tensor w1, Tensor? b1, Tensor w2, Tensor? b2, Activation activation = Activation.Gelu)
    {
        const string Op = "FeedForward";
        Refuse.NotFloat(Op, x);
        Refuse.OtherDevices(Op, x, w1, b1, w2, b2);
        Refuse.OtherTypes(Op, x, w1, b1, w2, b2);
        Refuse.Unless(w1.Shape.Rank == 2 && x.Shape.Rank >= 1 && x.Shape[-1] == w1.Shape[1],
            $"{Op}: w1 must be [inner, in] with in = the last dimension of x; got x {x.Shape}, w1 {w1.Shape}.");
        var inner = w1.Shape[0];
        Refuse.Unless(w2.Shape.Rank == 2 && w2.Shape[1] == inner,
            $"{Op}: w2 must be [out, inner] with inner = the first dimension of w1; got w1 {w1.Shape}, w2 {w2.Shape}.");
        var outs = w2.Shape[0];
        Refuse.Unless(b1 is null || b1.Shape == new Shape(inner),
            $"{Op}: b1 must have shape ({inner}) to match w1 {w1.Shape}; got {b1?.Shape}.");
        Refuse.Unless(b2 is null || b2.Shape == new Shape(outs),
            $"{Op}: b2 must have shape ({outs}) to match w2 {w2.Shape}; got {b2?.Shape}.");
        var rows = checked((int)x.Shape.Slice(0, x.Shape.Rank - 1).Count);
        var device = x.Device;
        var tape = Tape.Of(x, w1, b1, w2, b2);
        var isFirstTracked = x.Node is not null || w1.Node is not null || b1?.Node is not null;
        var between = x.Shape.With(-1, inner);
        var hidden = device.Allocate(between, x.DType);
        var sums = isFirstTracked && activation != Activation.None ? device.Allocate(between, x.DType) : default;
        Layer(x.Ref, w1, b1, sums, hidden, rows, activation);
        var y = device.Allocate(x.Shape.With(-1, outs), x.DType);
        Layer(hidden, w2, b2, default, y, rows, Activation.None);
        if (w2.Node is null)
        {
            hidden.Release();
            hidden = default;
        }
        if (tape is null) return new Tensor(y, Op);
        return new Tensor(y, Op, tape.Record(
            new FeedForwardNode(
                tape, x.Ref.Retain(), w1.Ref.Retain(), w2.Ref.Retain(), sums, hidden, rows, activation)
            {
                X = x.Node,
                W1 = w1.Node,
                B1 = b1?.Node,
                W2 = w2.Node,
                B2 = b2?.Node,
            }));
    }

    private sealed class FeedForwardNode(
        Tape tape, TensorRef x, TensorRef w1, TensorRef w2, TensorRef sums, TensorRef hidden, int rows,
        Activation activation) : Node(tape, "FeedForward")
    {
        private TensorRef sums = sums, hidden = hidden;

        public Node? X { get; init; }

        public Node? W1 { get; init; }

        public Node? B1 { get; init; }

        public Node? W2 { get; init; }

        public Node? B2 { get; init; }

        protected override void Backward(TensorRef dy)
        {
            if (X is null && W1 is null && B1 is null)
            {
                BackwardOfSecond(dy, default);
                return;
            }
            var g = Tape.Device.Allocate(dy.Shape.With(-1, w1.Shape[0]), dy.DType);
            BackwardOfSecond(dy, g);
            // The gradients of the first layer need room, and none of this any more.
            gradient.Release();
            gradient = default;
            ReleaseBetween();
            BackwardOfFirst(g);
            g.Release();
        }

        protected override void Release()
        {
            x.Release();
            w1.Release();
            w2.Release();
            ReleaseBetween();
        }

        /// <summary>Gives the gradient of the sums before the activation to g, unless nobody wants it.</summary>
        private void BackwardOfSecond(TensorRef dy, TensorRef g)
        {
            var dw = W2.OpenIfTracked(w2.Shape, w2.DType, canAccumulate: true);
            var dBias = B2.OpenIfTracked(new Shape(w2.Shape[0]), w2.DType, canAccumulate: true);
            Run(new LinearBackwardArgs
            {
                X = hidden.View,
                W = w2.Unchanged(Op),
                DY = dy.View,
                InputPreActivation = sums.View,
                InputActivation = g.IsNone ? Activation.None : activation,
                DX = g.View,
                DW = dw.View,
                DBias = dBias.View,
                Rows = rows,
                In = w2.Shape[1],
                Out = w2.Shape[0],
                AccumulateW = dw.Accumulate,
                AccumulateBias = dBias.Accumulate,
            });
            dw.Commit();
            dBias.Commit();
        }

        private void BackwardOfFirst(TensorRef g)
        {
            var dx = X.OpenIfTracked(x.Shape, x.DType);
            var dw = W1.OpenIfTracked(w1.Shape, w1.DType, canAccumulate: true);
            var dBias = B1.OpenIfTracked(new Shape(w1.Shape[0]), w1.DType, canAccumulate: true);
            Run(new LinearBackwardArgs
            {
                X = x.Unchanged(Op),
                W = w1.Unchanged(Op),
                DY = g.View,
                DX = dx.View,
                DW = dw.View,
                DBias = dBias.View,
                Rows = rows,
                In = w1.Shape[1],
                Out = w1.Shape[0],
                AccumulateW = dw.Accumulate,
                AccumulateBias = dBias.Accumulate,
            });
            dx.Commit();
            dw.Commit();
            dBias.Commit();
        }

        private void Run(in LinearBackwardArgs args)
        {
            args.Check();
            Backend.LinearBackward(args);
        }

        private void ReleaseBetween()
        {
            sums.Release();
            hidden.Release();
            (sums, hidden) = (default, default);
        }
    }
}
