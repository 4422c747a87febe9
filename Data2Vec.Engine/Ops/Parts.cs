using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Elements start, start + 1, ... of a dimension, <paramref name="length"/> of them. Unlike <see cref="Slice"/> it
    /// refuses what reaches outside.
    /// </summary>
    /// <param name="x">Any type.</param>
    /// <param name="dimension">Which dimension.</param>
    /// <param name="start">First element; negative ones count from the end.</param>
    /// <param name="length">How many.</param>
    /// <exception cref="ArgumentException">The part does not lie inside.</exception>
    public static Tensor Narrow(Tensor x, int dimension, int start, int length)
    {
        Refuse.Unless(x.Shape.Rank > 0, "Narrow: a scalar has no dimension to narrow.");
        var d = Refuse.Dimension("Narrow", x, dimension);
        var from = start < 0 ? start + x.Shape[d] : start;
        Refuse.Unless(from >= 0 && length >= 0 && length <= x.Shape[d] - from,
            $"Narrow: {length} elements from {start} on do not lie inside dimension {d} of {x.Shape}.");
        return Slice(x, d, from, from + length);
    }

    /// <summary>x cut along a dimension into parts of one size; the last may be smaller.</summary>
    /// <exception cref="ArgumentException">The size is not positive, or there is no such dimension.</exception>
    public static Tensor[] Split(Tensor x, int size, int dimension = 0)
    {
        Refuse.Unless(x.Shape.Rank > 0, "Split: a scalar has no dimension to split.");
        var d = Refuse.Dimension("Split", x, dimension);
        Refuse.Unless(size > 0, $"Split: the size of a part must be positive; got {size}.");
        var count = Math.Max(1, (x.Shape[d] + size - 1) / size);
        var sizes = new int[count];
        for (var i = 0; i < count; i++) sizes[i] = Math.Min(size, x.Shape[d] - i * size);
        return Split(x, sizes, d);
    }

    /// <summary>x cut along a dimension into parts of given sizes.</summary>
    /// <exception cref="ArgumentException">
    /// The sizes do not add up to the extent, or there is no such dimension.
    /// </exception>
    public static Tensor[] Split(Tensor x, int[] sizes, int dimension = 0)
    {
        Refuse.Unless(x.Shape.Rank > 0, "Split: a scalar has no dimension to split.");
        var d = Refuse.Dimension("Split", x, dimension);
        Refuse.Unless(sizes.All(s => s >= 0) && sizes.Sum() == x.Shape[d],
            $"Split: the sizes must add up to {x.Shape[d]}; got {string.Join(" + ", sizes)}.");
        var parts = new Tensor[sizes.Length];
        for (int i = 0, start = 0; i < parts.Length; start += sizes[i], i++)
            parts[i] = Slice(x, d, start, start + sizes[i]);
        return parts;
    }

    /// <summary>x without its dimensions of extent 1, or without those of the named ones that have it.</summary>
    /// <exception cref="ArgumentException">A named dimension does not exist.</exception>
    public static Tensor Squeeze(Tensor x, params ReadOnlySpan<int> dimensions)
    {
        var mask = dimensions.Length == 0 ? -1 : 0;
        foreach (var dimension in dimensions) mask |= 1 << Refuse.Dimension("Squeeze", x, dimension);
        return Reshape(x, new Shape([.. x.Shape.ToArray().Where((extent, i) => extent != 1 || (mask & 1 << i) == 0)]));
    }

    /// <summary>x with a new dimension of extent 1 at a place; -1 is behind the last.</summary>
    /// <exception cref="ArgumentException">There is no such place.</exception>
    public static Tensor Unsqueeze(Tensor x, int place)
    {
        var rank = x.Shape.Rank;
        Refuse.Unless(place >= -rank - 1 && place <= rank, $"Unsqueeze: there is no place {place} in {x.Shape}.");
        var at = place < 0 ? place + rank + 1 : place;
        return Reshape(x, x.Shape.Slice(0, at).Append(1).Append(x.Shape.Slice(at, rank - at).ToArray()));
    }

    /// <summary>
    /// x where column - row is at most <paramref name="diagonal"/>, 0 elsewhere: the lower triangle of every matrix of
    /// the last two dimensions.
    /// </summary>
    /// <exception cref="ArgumentException">x has fewer than two dimensions.</exception>
    public static Tensor LowerTriangle(Tensor x, int diagonal = 0)
    {
        Refuse.NotFloat("LowerTriangle", x);
        Refuse.Unless(x.Shape.Rank >= 2, $"LowerTriangle: x must have two dimensions at least; got {x.Shape}.");
        var (rows, columns) = (x.Shape[-2], x.Shape[-1]);
        var kept = new bool[(long)rows * columns];
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++) kept[i * columns + j] = (long)j - i <= diagonal;
        var mask = Tensor.From<bool>(x.Device, kept, new Shape(rows, columns));
        return Where(mask, x, Tensor.Zeros(x.Device, new Shape(), x.DType));
    }
}
