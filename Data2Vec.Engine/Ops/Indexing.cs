using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// The slices of x named by an index along a dimension, in its order; repeated ones add their gradients. A
    /// composite of <see cref="GatherRows"/>.
    /// </summary>
    /// <param name="x">Any type.</param>
    /// <param name="dimension">Along which the index counts.</param>
    /// <param name="index">Int32 or int64, one dimension (or a scalar, which stands for one).</param>
    /// <returns>x with the dimension as long as the index.</returns>
    /// <exception cref="ArgumentException">The index has more dimensions, or there is no such dimension.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// An index lies outside; the sentence names its position.
    /// </exception>
    public static Tensor IndexSelect(Tensor x, int dimension, Tensor index)
    {
        var d = Refuse.Dimension("IndexSelect", x, dimension);
        Refuse.Unless(index.Shape.Rank <= 1, $"IndexSelect: the index must have one dimension; got {index.Shape}.");
        var rows = GatherRows(RowsAlong(x, d), Reshape(index, new Shape(checked((int)index.Count))));
        return x.Shape.Rank == 0 ? Reshape(rows, new Shape()) : FromRows(rows, x.Shape, d);
    }

    /// <summary>
    /// target with scale * x added to the slices named by an index along a dimension, repeated ones in order: a new
    /// tensor. A composite of <see cref="ScatterRows"/>.
    /// </summary>
    /// <param name="target">Floating point.</param>
    /// <param name="dimension">Along which the index counts.</param>
    /// <param name="index">Int32 or int64, one dimension (or a scalar, which stands for one).</param>
    /// <param name="x">The shape of target, with the dimension as long as the index.</param>
    /// <param name="scale">Factor on x.</param>
    /// <exception cref="ArgumentException">Shapes or types do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// An index lies outside; the sentence names its position.
    /// </exception>
    public static Tensor IndexAdd(Tensor target, int dimension, Tensor index, Tensor x, double scale = 1)
    {
        Refuse.NotFloat("IndexAdd", target);
        var d = Refuse.Dimension("IndexAdd", target, dimension);
        var count = checked((int)index.Count);
        Refuse.Unless(index.Shape.Rank <= 1, $"IndexAdd: the index must have one dimension; got {index.Shape}.");
        Refuse.Unless(target.Shape.Rank == 0 ? x.Count == count : x.Shape == target.Shape.With(d, count),
            $"IndexAdd: x must be {target.Shape} with {count} slices along dimension {d}; got {x.Shape}.");
        var added = scale == 1 ? x : Affine(x, scale);
        var rows = ScatterRows(RowsAlong(target, d), Reshape(index, new Shape(count)),
            target.Shape.Rank == 0 ? Reshape(added, new Shape(count, 1)) : RowsAlong(added, d), add: true);
        return target.Shape.Rank == 0 ? Reshape(rows, new Shape()) : FromRows(rows, target.Shape, d);
    }

    /// <summary>[extent of the dimension, everything else].</summary>
    private static Tensor RowsAlong(Tensor x, int dimension)
    {
        if (x.Shape.Rank == 0) return Reshape(x, new Shape(1, 1));
        var front = dimension == 0 ? x : Permute(x, FrontOrder(x.Shape.Rank, dimension));
        return Reshape(front, new Shape(x.Shape[dimension], checked((int)x.Shape.With(dimension, 1).Count)));
    }

    /// <summary>The way back from <see cref="RowsAlong"/>, with another number of rows.</summary>
    private static Tensor FromRows(Tensor rows, Shape like, int dimension)
    {
        var order = FrontOrder(like.Rank, dimension);
        var front = new Shape(Array.ConvertAll(order, i => i == dimension ? rows.Shape[0] : like[i]));
        var y = Reshape(rows, front);
        if (dimension == 0) return y;
        var back = new int[order.Length];
        for (var i = 0; i < back.Length; i++) back[order[i]] = i;
        return Permute(y, back);
    }

    /// <summary>The dimension first, the others behind it in their order.</summary>
    private static int[] FrontOrder(int rank, int dimension) =>
        [dimension, .. Enumerable.Range(0, rank).Where(i => i != dimension)];
}
