using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// y[i...] = source[rows[i...]]: rows of [N, D] by int32 or int64 indices of any shape. Repeated rows add their
    /// gradients. Backward saves the indices.
    /// </summary>
    /// <param name="source">[N, D].</param>
    /// <param name="rows">Indices in [0, N).</param>
    /// <param name="ignoreRow">A row that takes no gradient (padding); -1 = none.</param>
    /// <returns>[shape of rows, D].</returns>
    /// <exception cref="ArgumentException">Shapes or types do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside the rows; the sentence names its position.</exception>
    public static Tensor GatherRows(Tensor source, Tensor rows, long ignoreRow = -1)
    {
        Refuse.OtherDevices("GatherRows", source, rows);
        Refuse.Unless(source.Shape.Rank == 2, $"GatherRows: the source must be [rows, columns]; got {source}.");
        Refuse.Unless(ignoreRow >= -1 && ignoreRow < Math.Max(1, source.Shape[0]),
            $"GatherRows: the row without gradient must be -1 (none) or one of the {source.Shape[0]} rows; got {ignoreRow}.");
        var columns = source.Shape[1];
        var tape = Tape.Of(source);
        var y = source.Device.Allocate(rows.Shape.Append(columns), source.DType);
        var args = new GatherRowsArgs
        {
            X = source.View, Rows = rows.View, Y = y.View,
            Count = rows.Count, Columns = columns, XRows = source.Shape[0],
        };
        try
        {
            args.Check();
            source.Device.Backend.GatherRows(args);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the output yet.
            y.Release();
            throw;
        }
        if (tape is null) return new Tensor(y, "GatherRows");
        return new Tensor(y, "GatherRows",
            tape.Record(new GatherRowsNode(tape, source.Node!, rows.Ref.Retain(), source.Shape, ignoreRow)));
    }

    /// <summary>Table lookup [V, D] by token ids; the padding row takes no gradient. See <see cref="GatherRows"/>.</summary>
    public static Tensor Embedding(Tensor table, Tensor ids, long paddingRow = -1) => GatherRows(table, ids, paddingRow);

    /// <summary>target with target[rows[i]] = x[i] (or += x[i]): a new tensor. Replaced rows take no gradient.</summary>
    /// <param name="target">[N, D].</param>
    /// <param name="rows">[M] indices in [0, N); distinct unless adding.</param>
    /// <param name="x">[M, D].</param>
    /// <param name="add">Add instead of replacing.</param>
    /// <exception cref="ArgumentException">Shapes or types do not fit.</exception>
    public static Tensor ScatterRows(Tensor target, Tensor rows, Tensor x, bool add = false)
    {
        Refuse.OtherDevices("ScatterRows", target, rows, x);
        Refuse.OtherTypes("ScatterRows", target, x);
        Refuse.Unless(target.Shape.Rank == 2 && x.Shape == new Shape((int)rows.Count, target.Shape[1]),
            $"ScatterRows: target [N, D] and x [{rows.Count}, D] expected; got {target.Shape} and {x.Shape}.");
        var tape = Tape.Of(target, x);
        var y = target.Device.Allocate(target.Shape, target.DType);
        Copy(target.Ref, target.Shape.Strides, y, target.Shape.Strides, target.Shape);
        try
        {
            Scatter(x.Ref, rows.View, y, add, -1);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the output yet.
            y.Release();
            throw;
        }
        if (tape is null) return new Tensor(y, "ScatterRows");
        return new Tensor(y, "ScatterRows", tape.Record(new ScatterRowsNode(tape, rows.Ref.Retain(), x.Shape, add)
        {
            Target = target.Node,
            X = x.Node,
        }));
    }

    /// <summary>y[i] = mask[i] ? vector : x[i]; without a vector masked rows are zero (padding).</summary>
    /// <param name="x">[..., D].</param>
    /// <param name="mask">Bool, the leading dimensions of x.</param>
    /// <param name="vector">[D], or null.</param>
    /// <exception cref="ArgumentException">Shapes or types do not fit.</exception>
    public static Tensor MaskRows(Tensor x, Tensor mask, Tensor? vector = null)
    {
        Refuse.NotFloat("MaskRows", x);
        Refuse.OtherDevices("MaskRows", x, mask, vector);
        Refuse.OtherTypes("MaskRows", x, vector);
        Refuse.Unless(x.Shape.Rank >= 1 && mask.Shape == x.Shape.Slice(0, x.Shape.Rank - 1),
            $"MaskRows: the mask must have the leading dimensions of x; got x {x.Shape}, mask {mask.Shape}.");
        var columns = x.Shape[-1];
        Refuse.Unless(vector is null || vector.Shape == new Shape(columns),
            $"MaskRows: the vector must have shape ({columns}); got {vector?.Shape}.");
        var tape = Tape.Of(x, vector);
        var y = x.Device.Allocate(x.Shape, x.DType);
        var args = new MaskRowsArgs
        {
            X = x.View, Mask = mask.View, Vector = vector?.View ?? default, Y = y.View, Count = mask.Count, Columns = columns,
        };
        try
        {
            args.Check();
            x.Device.Backend.MaskRows(args);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the output yet.
            y.Release();
            throw;
        }
        if (tape is null) return new Tensor(y, "MaskRows");
        return new Tensor(y, "MaskRows", tape.Record(new MaskRowsNode(tape, mask.Ref.Retain())
        {
            X = x.Node,
            Vector = vector?.Node,
        }));
    }

    private static void Scatter(TensorRef x, BufferView rows, TensorRef y, bool add, long ignoreRow)
    {
        var args = new ScatterRowsArgs
        {
            X = x.View, Rows = rows, Y = y.View, Count = x.Shape.Count / Math.Max(1, y.Shape[1]), Columns = y.Shape[1],
            YRows = y.Shape[0], Accumulate = add, IgnoreRow = ignoreRow,
        };
        args.Check();
        x.Device.Backend.ScatterRows(args);
    }

    private sealed class GatherRowsNode(Tape tape, Node input, TensorRef rows, Shape source, long ignoreRow)
        : Node(tape, "GatherRows")
    {
        protected override void Backward(TensorRef dy)
        {
            var target = input.Open(source, dy.DType, canAccumulate: true);
            if (!target.Accumulate)
                Backend.Fill(new FillArgs { Y = target.View, Count = source.Count, Value = 0 });
            Scatter(dy, rows.Unchanged(Op), target.Memory.Reshaped(source), add: true, ignoreRow);
            target.Commit();
        }

        protected override void Release() => rows.Release();
    }

    private sealed class ScatterRowsNode(Tape tape, TensorRef rows, Shape x, bool add) : Node(tape, "ScatterRows")
    {
        public Node? Target { get; init; }

        public Node? X { get; init; }

        protected override void Backward(TensorRef dy)
        {
            rows.Unchanged(Op);
            if (X is not null)
            {
                var dx = X.Open(x, dy.DType);
                Backend.GatherRows(new GatherRowsArgs
                {
                    X = dy.View, Rows = rows.View, Y = dx.View, Count = x[0], Columns = x[1], XRows = dy.Shape[0],
                });
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
            Scatter(Tensor.Zeros(Tape.Device, x, dy.DType).Ref, rows.View, dt.Memory, add: false, -1);
            dt.Commit();
        }

        protected override void Release() => rows.Release();
    }

    private sealed class MaskRowsNode(Tape tape, TensorRef mask) : Node(tape, "MaskRows")
    {
        public Node? X { get; init; }

        public Node? Vector { get; init; }

        protected override void Backward(TensorRef dy)
        {
            var columns = dy.Shape[-1];
            var dx = X.OpenIfTracked(dy.Shape, dy.DType);
            var dVector = Vector.OpenIfTracked(new Shape(columns), dy.DType, canAccumulate: true);
            var args = new MaskRowsBackwardArgs
            {
                Mask = mask.Unchanged(Op), DY = dy.View, DX = dx.View, DVector = dVector.View,
                Count = mask.Shape.Count, Columns = columns, Accumulate = dVector.Accumulate,
            };
            args.Check();
            Backend.MaskRowsBackward(args);
            dx.Commit();
            dVector.Commit();
        }

        protected override void Release() => mask.Release();
    }
}
