using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// y[p] = x[p with its place along a dimension replaced by index[p]], as PyTorch's gather; gradients of elements
    /// that are chosen again and again are added. Backward saves the indices.
    /// </summary>
    /// <param name="x">Any type.</param>
    /// <param name="dimension">Along which the indices count.</param>
    /// <param name="index">Int32 or int64, of the rank of x, at most its extents outside the dimension.</param>
    /// <returns>The shape of index, the type of x.</returns>
    /// <exception cref="ArgumentException">Shapes or types do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// An index lies outside; the sentence names its position.
    /// </exception>
    public static Tensor Gather(Tensor x, int dimension, Tensor index)
    {
        var (source, shape, d) = LinesOf("Gather", x, dimension, index);
        var tape = Tape.Of(x);
        var y = x.Device.Allocate(index.Shape, x.DType);
        try
        {
            Gather(x.View, source, index.View, shape, y.View, d, x.Device.Backend);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the output yet.
            y.Release();
            throw;
        }
        if (tape is null) return new Tensor(y, "Gather");
        return new Tensor(y, "Gather", tape.Record(new GatherNode(
            tape, x.Node!, index.Ref.Retain().Reshaped(shape), x.Shape, source, d)));
    }

    /// <summary>
    /// target with target[p with its place along a dimension replaced by index[p]] = x[p] (or += x[p]), as PyTorch's
    /// scatter and scatter_add: a new tensor. Elements of one line that meet add in their order, or the last wins.
    /// Replaced elements take no gradient. Backward saves the indices.
    /// </summary>
    /// <param name="target">Any type; floating point when adding.</param>
    /// <param name="dimension">Along which the indices count.</param>
    /// <param name="index">Int32 or int64, of the rank of target, at most its extents outside the dimension.</param>
    /// <param name="x">The shape of index, the type of target.</param>
    /// <param name="add">Add instead of replacing.</param>
    /// <exception cref="ArgumentException">Shapes or types do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// An index lies outside; the sentence names its position.
    /// </exception>
    public static Tensor Scatter(Tensor target, int dimension, Tensor index, Tensor x, bool add = false)
    {
        var (whole, shape, d) = LinesOf("Scatter", target, dimension, index);
        Refuse.OtherDevices("Scatter", target, x);
        Refuse.OtherTypes("Scatter", target, x);
        Refuse.Unless(x.Shape == index.Shape,
            $"Scatter: x must have the shape of the indices; got {x.Shape} and {index.Shape}.");
        var tape = Tape.Of(target, x);
        var y = target.Device.Allocate(target.Shape, target.DType);
        try
        {
            Copy(target.Ref, target.Shape.Strides, y, target.Shape.Strides, target.Shape);
            Scatter(x.View, index.View, shape, y.View, whole, d, add, target.Device.Backend);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the output yet.
            y.Release();
            throw;
        }
        if (tape is null) return new Tensor(y, "Scatter");
        return new Tensor(y, "Scatter", tape.Record(new ScatterNode(
            tape, index.Ref.Retain().Reshaped(shape), whole, d, add, x.Shape)
        {
            Target = target.Node,
            X = x.Node,
        }));
    }

    /// <summary>Shapes for the kernels, for which a scalar is a line of one element.</summary>
    private static (Shape Whole, Shape Shape, int Dimension) LinesOf(string op, Tensor x, int dimension, Tensor index)
    {
        Refuse.OtherDevices(op, x, index);
        var d = Refuse.Dimension(op, x, dimension);
        var (whole, shape) = (x.Shape.Rank == 0 ? new Shape(1) : x.Shape, index.Shape);
        if (x.Shape.Rank == 0 && shape.Rank == 0) shape = new Shape(1);
        Refuse.Unless(whole.Rank == shape.Rank,
            $"{op}: the indices must have as many dimensions as {x.Shape}; got {index.Shape}.");
        for (var i = 0; i < whole.Rank; i++)
        {
            Refuse.Unless(i == d || shape[i] <= whole[i],
                $"{op}: the indices must not reach beyond {x.Shape} outside dimension {d}; got {index.Shape}.");
        }
        return (whole, shape, d);
    }

    private static void Gather(
        BufferView x, Shape source, BufferView index, Shape shape, BufferView y, int dimension, IBackend backend)
    {
        var args = new GatherArgs
        {
            X = x, Index = index, Y = y, Source = source, Shape = shape, Dimension = dimension,
        };
        args.Check();
        backend.Gather(args);
    }

    private static void Scatter(
        BufferView x, BufferView index, Shape shape, BufferView y, Shape whole, int dimension, bool add,
        IBackend backend)
    {
        var args = new ScatterArgs
        {
            X = x, Index = index, Y = y, Target = whole, Shape = shape, Dimension = dimension, Accumulate = add,
        };
        args.Check();
        backend.Scatter(args);
    }

    private sealed class GatherNode(Tape tape, Node input, TensorRef index, Shape x, Shape source, int dimension)
        : Node(tape, "Gather")
    {
        protected override void Backward(TensorRef dy)
        {
            var target = input.Open(x, dy.DType, canAccumulate: true);
            if (!target.Accumulate) Backend.Fill(new FillArgs { Y = target.View, Count = x.Count, Value = 0 });
            Scatter(
                dy.View, index.Unchanged(Op), index.Shape, target.View, source, dimension, add: true, Backend);
            target.Commit();
        }

        protected override void Release() => index.Release();
    }

    private sealed class ScatterNode(Tape tape, TensorRef index, Shape whole, int dimension, bool add, Shape x)
        : Node(tape, "Scatter")
    {
        public Node? Target { get; init; }

        public Node? X { get; init; }

        protected override void Backward(TensorRef dy)
        {
            index.Unchanged(Op);
            if (X is not null)
            {
                var dx = X.Open(x, dy.DType);
                Gather(dy.View, whole, index.View, index.Shape, dx.View, dimension, Backend);
                dx.Commit();
            }
            if (Target is null) return;
            if (add)
            {
                Target.Pass(dy);
                return;
            }
            var dt = Target.Open(dy.Shape, dy.DType);
            Copy(dy, dy.Shape.Strides, dt.Memory, dy.Shape.Strides, dy.Shape);
            Scatter(Tensor.Zeros(Tape.Device, x, dy.DType).View, index.View, index.Shape, dt.View, whole, dimension,
                add: false, Backend);
            dt.Commit();
        }

        protected override void Release() => index.Release();
    }
}
