using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>exp(x) / sum(exp(x)) along a dimension, with the maximum taken out. Backward saves the result.</summary>
    public static Tensor Softmax(Tensor x, int dimension = -1) => Softmax("Softmax", x, dimension, log: false);

    /// <summary>x - log(sum(exp(x))) along a dimension. Backward saves the result.</summary>
    public static Tensor LogSoftmax(Tensor x, int dimension = -1) => Softmax("LogSoftmax", x, dimension, log: true);

    private static Tensor Softmax(string name, Tensor x, int dimension, bool log)
    {
        Refuse.NotFloat(name, x);
        var d = Refuse.Dimension(name, x, dimension);
        var scalar = x.Shape.Rank == 0;
        var outer = scalar ? 1 : x.Shape.Slice(0, d).Count;
        var inner = scalar ? 1 : x.Shape.Slice(d + 1, x.Shape.Rank - d - 1).Count;
        var length = scalar ? 1 : x.Shape[d];
        var tape = Tape.Of(x);
        var y = x.Device.Allocate(x.Shape, x.DType);
        var args = new SoftmaxArgs
        {
            X = x.View, Y = y.View, Outer = outer, Length = length, Inner = inner, Log = log,
        };
        args.Check();
        x.Device.Backend.Softmax(args);
        if (tape is null) return new Tensor(y, name);
        return new Tensor(y, name,
            tape.Record(new SoftmaxNode(tape, name, x.Node!, y.Retain(), outer, length, inner, log)));
    }

    private sealed class SoftmaxNode(
        Tape tape, string name, Node input, TensorRef y, long outer, int length, long inner, bool log)
        : Node(tape, name)
    {
        protected override void Backward(TensorRef dy)
        {
            var dx = input.Open(y.Shape, y.DType);
            var args = new SoftmaxBackwardArgs
            {
                Y = y.Unchanged(Op), DY = dy.View, DX = dx.View, Outer = outer, Length = length, Inner = inner, Log = log,
            };
            args.Check();
            Backend.SoftmaxBackward(args);
            dx.Commit();
        }

        protected override void Release() => y.Release();
    }
}
