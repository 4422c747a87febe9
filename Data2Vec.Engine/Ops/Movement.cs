using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>A copy with the dimensions in another order: result dimension i is dimension order[i] of x.</summary>
    /// <exception cref="ArgumentException">The order is not a permutation of the dimensions.</exception>
    public static Tensor Permute(Tensor x, params ReadOnlySpan<int> order)
    {
        Refuse.Unless(order.Length == x.Shape.Rank, $"Permute: {x} has {x.Shape.Rank} dimensions; got {order.Length}.");
        Span<int> extents = stackalloc int[Shape.MaxRank];
        Strides strides = default;
        var own = x.Shape.Strides;
        var seen = 0;
        for (var i = 0; i < order.Length; i++)
        {
            var d = Refuse.Dimension("Permute", x, order[i]);
            Refuse.Unless((seen & 1 << d) == 0, $"Permute: dimension {d} of {x} is named twice.");
            seen |= 1 << d;
            extents[i] = x.Shape[d];
            strides[i] = own[d];
        }
        return Gathered("Permute", x, new Shape(extents[..order.Length]), 0, strides);
    }

    /// <summary>A copy with two dimensions exchanged.</summary>
    public static Tensor Transpose(Tensor x, int dimension0 = -2, int dimension1 = -1)
    {
        Span<int> order = stackalloc int[x.Shape.Rank];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        if (order.Length > 0)
        {
            var d0 = Refuse.Dimension("Transpose", x, dimension0);
            var d1 = Refuse.Dimension("Transpose", x, dimension1);
            (order[d0], order[d1]) = (order[d1], order[d0]);
        }
        return Permute(x, order);
    }

    /// <summary>
    /// The elements start, start + step, ... below end along one dimension (Python's rules for negative and out-of-range
    /// bounds). A slice of the first dimension with step 1 shares memory, others are copies.
    /// </summary>
    /// <exception cref="ArgumentException">The step is not positive, or there is no such dimension.</exception>
    public static Tensor Slice(Tensor x, int dimension, int start, int end = int.MaxValue, int step = 1)
    {
        Refuse.Unless(x.Shape.Rank > 0, "Slice: a scalar has no dimension to slice.");
        var d = Refuse.Dimension("Slice", x, dimension);
        Refuse.Unless(step > 0, $"Slice: the step must be positive; got {step}.");
        var n = x.Shape[d];
        start = Math.Clamp(start < 0 ? start + n : start, 0, n);
        end = Math.Clamp(end < 0 ? end + n : end, start, n);
        var count = (end - start + step - 1) / step;
        var strides = x.Shape.Strides;
        var offset = start * strides[d];
        var shape = x.Shape.With(d, count);
        if (d == 0 && step == 1)
        {
            var tape = Tape.Of(x);
            var place = x.Ref.Retain().Reshaped(shape);
            place = place with { Offset = place.Offset + offset };
            if (tape is null) return new Tensor(place, "Slice");
            var node = new StridedNode(tape, "Slice", x.Node!, x.Shape, shape, offset, strides);
            return new Tensor(place, "Slice", tape.Record(node));
        }
        strides[d] *= step;
        return Gathered("Slice", x, shape, offset, strides);
    }

    /// <summary>x repeated along dimensions of extent 1 (and new leading ones) up to a shape; a copy.</summary>
    /// <exception cref="ArgumentException">x does not broadcast to the shape.</exception>
    public static Tensor Expand(Tensor x, Shape shape)
    {
        Refuse.Unless(Broadcast("Expand", x.Shape, shape) == shape, $"Expand: {x.Shape} does not expand to {shape}.");
        var tape = Tape.Of(x);
        var y = x.Device.Allocate(shape, x.DType);
        Copy(x.Ref, BroadcastStrides(x.Shape, shape), y, shape.Strides, shape);
        if (tape is null) return new Tensor(y, "Expand");
        return new Tensor(y, "Expand", tape.Record(new ExpandNode(tape, x.Node!, x.Shape)));
    }

    /// <summary>The tensors one behind the other along a dimension.</summary>
    /// <exception cref="ArgumentException">No tensors, or types or the other extents differ.</exception>
    public static Tensor Concat(ReadOnlySpan<Tensor> tensors, int dimension)
    {
        Refuse.Unless(tensors.Length > 0, "Concat: at least one tensor is needed.");
        var first = tensors[0];
        Refuse.Unless(first.Shape.Rank > 0, "Concat: scalars have no dimension to join along; use Stack.");
        var d = Refuse.Dimension("Concat", first, dimension);
        var total = 0;
        foreach (var t in tensors)
        {
            Refuse.OtherDevices("Concat", first, t);
            Refuse.OtherTypes("Concat", first, t);
            Refuse.Unless(t.Shape.Rank == first.Shape.Rank && t.Shape.With(d, 0) == first.Shape.With(d, 0),
                $"Concat: shapes must agree outside dimension {d}; got {first.Shape} and {t.Shape}.");
            total += t.Shape[d];
        }
        var shape = first.Shape.With(d, total);
        var tape = Tape.Of(tensors!);
        var y = first.Device.Allocate(shape, first.DType);
        var strides = shape.Strides;
        var inputs = new (Node? Node, Shape Shape, long Offset)[tensors.Length];
        long offset = 0;
        for (var i = 0; i < tensors.Length; i++)
        {
            var t = tensors[i];
            Copy(t.Ref, t.Shape.Strides, y with { Offset = y.Offset + offset }, strides, t.Shape);
            inputs[i] = (t.Node, t.Shape, offset);
            offset += t.Shape[d] * strides[d];
        }
        if (tape is null) return new Tensor(y, "Concat");
        return new Tensor(y, "Concat", tape.Record(new ConcatNode(tape, inputs)));
    }

    /// <summary>The tensors along a new dimension.</summary>
    public static Tensor Stack(ReadOnlySpan<Tensor> tensors, int dimension)
    {
        Refuse.Unless(tensors.Length > 0, "Stack: at least one tensor is needed.");
        var rank = tensors[0].Shape.Rank;
        Refuse.Unless(dimension >= -rank - 1 && dimension <= rank, $"Stack: there is no place {dimension} in rank {rank}.");
        var d = dimension < 0 ? dimension + rank + 1 : dimension;
        var parts = new Tensor[tensors.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            Refuse.Unless(tensors[i].Shape == tensors[0].Shape,
                $"Stack: shapes must agree; got {tensors[0].Shape} and {tensors[i].Shape}.");
            parts[i] = Reshape(tensors[i], tensors[i].Shape.Slice(0, d).Append(1)
                .Append(tensors[i].Shape.Slice(d, rank - d).ToArray()));
        }
        return Concat(parts, d);
    }

    /// <summary>x with a border of <paramref name="value"/>: (before, after) for every dimension, outermost first.</summary>
    /// <exception cref="ArgumentException">A width is negative or their number is not the rank.</exception>
    public static Tensor Pad(Tensor x, ReadOnlySpan<(int Before, int After)> widths, double value = 0)
    {
        Refuse.Unless(widths.Length == x.Shape.Rank, $"Pad: {x} needs {x.Shape.Rank} pairs of widths; got {widths.Length}.");
        var shape = x.Shape;
        for (var i = 0; i < widths.Length; i++)
        {
            Refuse.Unless(widths[i] is { Before: >= 0, After: >= 0 }, $"Pad: widths must not be negative; got {widths[i]}.");
            shape = shape.With(i, shape[i] + widths[i].Before + widths[i].After);
        }
        var tape = Tape.Of(x);
        var y = x.Device.Allocate(shape, x.DType);
        x.Device.Backend.Fill(new FillArgs { Y = y.View, Count = shape.Count, Value = value });
        var strides = shape.Strides;
        long offset = 0;
        for (var i = 0; i < widths.Length; i++) offset += widths[i].Before * strides[i];
        Copy(x.Ref, x.Shape.Strides, y with { Offset = y.Offset + offset }, strides, x.Shape);
        if (tape is null) return new Tensor(y, "Pad");
        return new Tensor(y, "Pad", tape.Record(new ConcatNode(tape, [(x.Node, x.Shape, offset)])));
    }

    private static Tensor Gathered(string op, Tensor x, Shape shape, long offset, Strides strides)
    {
        var tape = Tape.Of(x);
        var y = x.Device.Allocate(shape, x.DType);
        var place = x.Ref;
        Copy(place with { Offset = place.Offset + offset }, strides, y, shape.Strides, shape);
        if (tape is null) return new Tensor(y, op);
        return new Tensor(y, op, tape.Record(new StridedNode(tape, op, x.Node!, x.Shape, shape, offset, strides)));
    }

    private static void Copy(TensorRef x, in Strides xStrides, TensorRef y, in Strides yStrides, Shape shape)
    {
        var args = new StridedCopyArgs { X = x.View, XStrides = xStrides, Y = y.View, YStrides = yStrides, Shape = shape };
        args.Check();
        x.Device.Backend.StridedCopy(args);
    }

    /// <summary>y[i] = x[offset + i · strides]: the gradient is written back to where each element came from.</summary>
    private sealed class StridedNode(
        Tape tape, string op, Node input, Shape from, Shape to, long offset, Strides strides) : Node(tape, op)
    {
        protected override void Backward(TensorRef dy)
        {
            var dx = input.Open(from, dy.DType);
            if (to.Count != from.Count)
                Backend.Fill(new FillArgs { Y = dx.View, Count = from.Count, Value = 0 });
            Copy(dy, to.Strides, dx.Memory with { Offset = dx.Memory.Offset + offset }, strides, to);
            dx.Commit();
        }

        protected override void Release()
        {
        }
    }

    /// <summary>Each input is a box inside the output: its gradient is that box.</summary>
    private sealed class ConcatNode(Tape tape, (Node? Node, Shape Shape, long Offset)[] inputs) : Node(tape, "Concat")
    {
        protected override void Backward(TensorRef dy)
        {
            foreach (var (node, shape, offset) in inputs)
            {
                if (node is null) continue;
                var dx = node.Open(shape, dy.DType);
                Copy(dy with { Offset = dy.Offset + offset }, dy.Shape.Strides, dx.Memory, shape.Strides, shape);
                dx.Commit();
            }
        }

        protected override void Release()
        {
        }
    }

    private sealed class ExpandNode(Tape tape, Node input, Shape from) : Node(tape, "Expand")
    {
        protected override void Backward(TensorRef dy) => PassSummed(input, dy, from);

        protected override void Release()
        {
        }
    }
}
