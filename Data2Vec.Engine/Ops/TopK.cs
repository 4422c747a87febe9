using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// The k largest (or smallest) elements along a dimension, best first, and their places (int64); NaN is the
    /// largest, the first of equals comes first. A composite of k times <see cref="ArgMax"/>: for small k.
    /// </summary>
    /// <returns>Both with the dimension of extent k; the values are differentiable.</returns>
    /// <exception cref="ArgumentException">The dimension has fewer than k elements.</exception>
    public static (Tensor Values, Tensor Indices) TopK(Tensor x, int k, int dimension = -1, bool largest = true)
    {
        Refuse.NotFloat("TopK", x);
        var d = Refuse.Dimension("TopK", x, dimension);
        var extent = x.Shape.Rank == 0 ? 1 : x.Shape[d];
        Refuse.Unless(k >= 0 && k <= extent,
            $"TopK: k must lie in [0, {extent}], the extent of dimension {d}; got {k}.");
        if (k == 0 && x.Shape.Rank > 0)
            return (Slice(x, d, 0, 0), Tensor.Empty(x.Device, x.Shape.With(d, 0), DType.Int64));
        if (x.Shape.Rank == 0) return (Affine(x, 1), ArgMax(x.Detach()));
        // What was taken becomes -infinity, below everything that is still there.
        var left = Clamp(largest ? x.Detach() : Neg(x.Detach()), low: -x.DType.Largest());
        var taken = new Tensor[k];
        for (var i = 0; i < k; i++)
        {
            taken[i] = ArgMax(left, [d], keepDimensions: true);
            left = Scatter(left, d, taken[i], Tensor.Full(x.Device, taken[i].Shape, x.DType, double.NegativeInfinity));
        }
        var indices = Concat(taken, d);
        return (Gather(x, d, indices), indices);
    }
}
