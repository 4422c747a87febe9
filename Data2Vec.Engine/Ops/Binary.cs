using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>x + y, broadcasting.</summary>
    public static Tensor Add(Tensor x, Tensor y) => Binary(BinaryOp.Add, x, y);

    /// <summary>x - y, broadcasting.</summary>
    public static Tensor Sub(Tensor x, Tensor y) => Binary(BinaryOp.Sub, x, y);

    /// <summary>x * y, broadcasting.</summary>
    public static Tensor Mul(Tensor x, Tensor y) => Binary(BinaryOp.Mul, x, y);

    /// <summary>x / y, broadcasting.</summary>
    public static Tensor Div(Tensor x, Tensor y) => Binary(BinaryOp.Div, x, y);

    /// <summary>
    /// z = f(x, y) with shapes aligned at the last dimension and extents of 1 repeated. Comparisons give Bool and are not
    /// differentiable; the other functions save both operands.
    /// </summary>
    /// <exception cref="ArgumentException">Types or devices differ, or the shapes do not broadcast.</exception>
    public static Tensor Binary(BinaryOp op, Tensor x, Tensor y)
    {
        var name = op.ToString();
        Refuse.OtherDevices(name, x, y);
        Refuse.OtherTypes(name, x, y);
        if (x.DType.IsFloat()) Refuse.NotFloat(name, x);
        var shape = Broadcast(name, x.Shape, y.Shape);
        var comparison = op >= BinaryOp.Equal;
        var tape = Tape.Of(x, y);
        var z = x.Device.Allocate(shape, comparison ? DType.Bool : x.DType);
        var args = new BinaryArgs
        {
            Op = op,
            X = x.View,
            Y = y.View,
            Z = z.View,
            Shape = shape,
            XStrides = BroadcastStrides(x.Shape, shape),
            YStrides = BroadcastStrides(y.Shape, shape),
        };
        try
        {
            args.Check();
            x.Device.Backend.Binary(args);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the output yet.
            z.Release();
            throw;
        }
        if (comparison || tape is null) return new Tensor(z, name);
        return new Tensor(z, name, tape.Record(new BinaryNode(tape, op, x.Ref.Retain(), y.Ref.Retain(), shape)
        {
            X = x.Node,
            Y = y.Node,
        }));
    }

    /// <summary>The common shape of two operands.</summary>
    internal static Shape Broadcast(string op, Shape x, Shape y)
    {
        var rank = Math.Max(x.Rank, y.Rank);
        Span<int> extents = stackalloc int[Shape.MaxRank];
        for (var i = 1; i <= rank; i++)
        {
            var a = i <= x.Rank ? x[-i] : 1;
            var b = i <= y.Rank ? y[-i] : 1;
            Refuse.Unless(a == b || a == 1 || b == 1, $"{op}: shapes {x} and {y} do not broadcast: {a} against {b}.");
            extents[rank - i] = a == 1 ? b : a;
        }
        return new Shape(extents[..rank]);
    }

    /// <summary>Strides that read an operand of one shape as if it had the broadcast shape.</summary>
    internal static Strides BroadcastStrides(Shape from, Shape to)
    {
        var own = from.Strides;
        var strides = default(Strides);
        for (var i = 1; i <= from.Rank; i++)
            strides[to.Rank - i] = from[-i] == 1 && to[-i] != 1 ? 0 : own[from.Rank - i];
        return strides;
    }

    /// <summary>Gives a gradient over the broadcast shape to an operand's node, summed over what was repeated.</summary>
    private static void PassSummed(Node? node, TensorRef gradient, Shape shape)
    {
        if (node is null) return;
        if (gradient.Shape == shape)
        {
            node.Pass(gradient);
            return;
        }
        Span<int> kept = stackalloc int[Shape.MaxRank];
        Span<int> reduced = stackalloc int[Shape.MaxRank];
        int keptRank = 0, reducedRank = 0;
        var strides = gradient.Shape.Strides;
        Strides keptStrides = default, reducedStrides = default;
        for (var i = 0; i < gradient.Shape.Rank; i++)
        {
            var own = i - (gradient.Shape.Rank - shape.Rank);
            if (own >= 0 && shape[own] == gradient.Shape[i])
            {
                keptStrides[keptRank] = strides[i];
                kept[keptRank++] = gradient.Shape[i];
            }
            else
            {
                reducedStrides[reducedRank] = strides[i];
                reduced[reducedRank++] = gradient.Shape[i];
            }
        }
        var target = node.Open(shape, gradient.DType, canAccumulate: true);
        var args = new ReduceArgs
        {
            Op = ReduceOp.Sum,
            X = gradient.View,
            Y = target.View,
            Kept = new Shape(kept[..keptRank]),
            KeptStrides = keptStrides,
            Reduced = new Shape(reduced[..reducedRank]),
            ReducedStrides = reducedStrides,
            Accumulate = target.Accumulate,
        };
        args.Check();
        gradient.Device.Backend.Reduce(args);
        target.Commit();
    }

    private sealed class BinaryNode(Tape tape, BinaryOp op, TensorRef x, TensorRef y, Shape shape)
        : Node(tape, op.ToString())
    {
        private readonly BinaryOp op = op;

        public Node? X { get; init; }

        public Node? Y { get; init; }

        protected override void Backward(TensorRef dy)
        {
            // The gradient of a sum is the gradient itself: no kernel, no copy.
            if (op == BinaryOp.Add)
            {
                PassSummed(X, dy, x.Shape);
                PassSummed(Y, dy, y.Shape);
                return;
            }
            var dx = X is null ? default : Tape.Device.Allocate(shape, x.DType);
            var dz = Y is null ? default : Tape.Device.Allocate(shape, x.DType);
            var args = new BinaryBackwardArgs
            {
                Op = op,
                X = x.Unchanged(Op),
                Y = y.Unchanged(Op),
                DZ = dy.View,
                DX = dx.View,
                DY = dz.View,
                Shape = shape,
                XStrides = BroadcastStrides(x.Shape, shape),
                YStrides = BroadcastStrides(y.Shape, shape),
            };
            args.Check();
            Backend.BinaryBackward(args);
            PassSummed(X, dx, x.Shape);
            PassSummed(Y, dz, y.Shape);
            dx.Release();
            dz.Release();
        }

        protected override void Release()
        {
            x.Release();
            y.Release();
        }
    }
}
