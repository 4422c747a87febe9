using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>condition ? x : y, all three broadcast; backward saves the condition.</summary>
    /// <exception cref="ArgumentException">The condition is not Bool, types differ, or shapes do not broadcast.</exception>
    public static Tensor Where(Tensor condition, Tensor x, Tensor y)
    {
        Refuse.OtherDevices("Where", condition, x, y);
        Refuse.OtherTypes("Where", x, y);
        Refuse.Unless(condition.DType == DType.Bool, $"Where: the condition must be bool; got {condition}.");
        var shape = Broadcast("Where", condition.Shape, Broadcast("Where", x.Shape, y.Shape));
        var tape = Tape.Of(x, y);
        var z = Select(condition.Ref, x.Ref, y.Ref, shape);
        if (tape is null) return new Tensor(z, "Where");
        return new Tensor(z, "Where", tape.Record(new WhereNode(tape, condition.Ref.Retain(), x.Shape, y.Shape)
        {
            X = x.Node,
            Y = y.Node,
        }));
    }

    /// <summary>x with <paramref name="value"/> wherever the mask (broadcast to x) is true.</summary>
    public static Tensor MaskedFill(Tensor x, Tensor mask, double value)
    {
        Refuse.NotFloat("MaskedFill", x);
        Refuse.Unless(Broadcast("MaskedFill", x.Shape, mask.Shape) is { Rank: <= Shape.MaxRank },
            $"MaskedFill: mask {mask.Shape} does not broadcast to {x.Shape}.");
        return Where(mask, Tensor.Full(x.Device, new Shape(), x.DType, value), x);
    }

    private static TensorRef Select(TensorRef condition, TensorRef x, TensorRef y, Shape shape)
    {
        var z = x.Device.Allocate(shape, x.DType);
        var args = new WhereArgs
        {
            Condition = condition.View,
            X = x.View,
            Y = y.View,
            Z = z.View,
            Shape = shape,
            ConditionStrides = BroadcastStrides(condition.Shape, shape),
            XStrides = BroadcastStrides(x.Shape, shape),
            YStrides = BroadcastStrides(y.Shape, shape),
        };
        args.Check();
        x.Device.Backend.Where(args);
        return z;
    }

    private sealed class WhereNode(Tape tape, TensorRef condition, Shape x, Shape y) : Node(tape, "Where")
    {
        public Node? X { get; init; }

        public Node? Y { get; init; }

        protected override void Backward(TensorRef dy)
        {
            condition.Unchanged(Op);
            var zero = Tensor.Full(Tape.Device, new Shape(), dy.DType, 0).Ref;
            if (X is not null) Give(X, Select(condition, dy, zero, dy.Shape), x);
            if (Y is not null) Give(Y, Select(condition, zero, dy, dy.Shape), y);
        }

        protected override void Release() => condition.Release();

        private static void Give(Node node, TensorRef gradient, Shape shape)
        {
            PassSummed(node, gradient, shape);
            gradient.Release();
        }
    }
}
