using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>The values in another type: to floating point rounded to nearest even, to integers truncated.</summary>
    /// <returns>A tensor of the shape of x; x itself when it has the type already. Differentiable between floats.</returns>
    public static Tensor Cast(Tensor x, DType type)
    {
        if (x.DType == type) return x;
        var tape = Tape.Of(x);
        var y = CastTo(x.Ref, type);
        if (tape is null || !type.IsFloat()) return new Tensor(y, "Cast");
        return new Tensor(y, "Cast", tape.Record(new CastNode(tape, x.Node!, x.DType)));
    }

    /// <summary>A node whose gradient goes on to another one in its type.</summary>
    internal static Node CastGradient(Tape tape, Node input, DType type) => tape.Record(new CastNode(tape, input, type));

    private static TensorRef CastTo(TensorRef x, DType type)
    {
        var y = x.Device.Allocate(x.Shape, type);
        var args = new CastArgs { X = x.View, Y = y.View, Count = x.Shape.Count };
        args.Check();
        x.Device.Backend.Cast(args);
        return y;
    }

    private sealed class CastNode(Tape tape, Node input, DType type) : Node(tape, "Cast")
    {
        protected override void Backward(TensorRef dy)
        {
            var dx = CastTo(dy, type);
            input.Pass(dx);
            dx.Release();
        }

        protected override void Release()
        {
        }
    }
}
