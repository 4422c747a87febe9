using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Running sums along a dimension: y[i] = x[0] + ... + x[i]. One product with a triangle of ones, whose memory
    /// grows with the square of the extent.
    /// </summary>
    /// <exception cref="ArgumentException">x is no floating-point tensor, or there is no such dimension.</exception>
    public static Tensor CumulativeSum(Tensor x, int dimension)
    {
        Refuse.NotFloat("CumulativeSum", x);
        var d = Refuse.Dimension("CumulativeSum", x, dimension);
        if (x.Shape.Rank == 0) return Affine(x, 1);
        var n = x.Shape[d];
        var triangle = new double[(long)n * n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j <= i; j++) triangle[i * n + j] = 1;
        return AlongDimension(x, d, triangle, n);
    }

    /// <summary>
    /// Means of windows along time, x [B, T, C]: one product with a constant matrix. A window that reaches over the end
    /// counts only what lies inside, and the padding with <paramref name="countPadding"/>.
    /// </summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="kernel">Frames of a window.</param>
    /// <param name="stride">Frames from window to window.</param>
    /// <param name="padding">Zeros on both sides, at most half a window.</param>
    /// <param name="partial">Also a last window that does not fit whole, if it begins inside.</param>
    /// <param name="countPadding">Divide by the window's frames with the padding.</param>
    /// <returns>[B, windows, C].</returns>
    /// <exception cref="ArgumentException">x has other dimensions, or no window fits.</exception>
    public static Tensor AveragePool1d(
        Tensor x, int kernel, int stride, int padding = 0, bool partial = false, bool countPadding = true)
    {
        Refuse.NotFloat("AveragePool1d", x);
        Refuse.Unless(x.Shape.Rank == 3, $"AveragePool1d: x must be [batch, time, channels]; got {x.Shape}.");
        Refuse.Unless(kernel >= 1 && stride >= 1 && padding >= 0 && padding <= kernel / 2,
            $"AveragePool1d: kernel and stride must be positive and the padding at most half the kernel; "
            + $"got {kernel}, {stride} and {padding}.");
        var time = x.Shape[1];
        var free = time + 2 * padding - kernel;
        var windows = (free + (partial ? stride - 1 : 0)) / stride + 1;
        if (partial && (windows - 1) * stride >= time + padding) windows--;
        Refuse.Unless(time >= 1 && windows >= 1 && (free >= 0 || partial),
            $"AveragePool1d: a window of {kernel} does not fit into {x.Shape} with a padding of {padding}.");
        var matrix = new double[windows * time];
        for (var i = 0; i < windows; i++)
        {
            var start = i * stride - padding;
            var end = Math.Min(start + kernel, time + padding);
            var (first, last) = (Math.Max(start, 0), Math.Min(end, time));
            for (var t = first; t < last; t++) matrix[i * time + t] = 1.0 / (countPadding ? end - start : last - first);
        }
        return AlongDimension(x, 1, matrix, windows);
    }

    /// <summary>
    /// Means of <paramref name="size"/> windows that share the frames of x [B, T, C] as evenly as can be: window i from
    /// floor(i T / size) to ceil((i + 1) T / size). One product with a constant matrix.
    /// </summary>
    /// <returns>[B, size, C].</returns>
    /// <exception cref="ArgumentException">
    /// x has other dimensions or no frames, or the size is not positive.
    /// </exception>
    public static Tensor AdaptiveAveragePool1d(Tensor x, int size)
    {
        Refuse.NotFloat("AdaptiveAveragePool1d", x);
        Refuse.Unless(x.Shape.Rank == 3 && x.Shape[1] >= 1 && size >= 1,
            $"AdaptiveAveragePool1d: x must be [batch, time, channels] with frames for {size} windows; got {x.Shape}.");
        long time = x.Shape[1];
        var matrix = new double[size * time];
        for (var i = 0; i < size; i++)
        {
            var (first, end) = (i * time / size, ((i + 1) * time + size - 1) / size);
            for (var t = first; t < end; t++) matrix[i * time + t] = 1.0 / (end - first);
        }
        return AlongDimension(x, 1, matrix, size);
    }

    /// <summary>Every line of x along a dimension times a constant matrix [size, extent], row by row.</summary>
    private static Tensor AlongDimension(Tensor x, int dimension, double[] matrix, int size)
    {
        var outer = x.Shape.Slice(0, dimension);
        var inner = x.Shape.Slice(dimension + 1, x.Shape.Rank - dimension - 1);
        var lines = new Shape(checked((int)outer.Count), x.Shape[dimension], checked((int)inner.Count));
        var m = Tensor.FromDoubles(x.Device, matrix, new Shape(size, x.Shape[dimension]), x.DType);
        return Reshape(MatMul(m, Reshape(x, lines)), outer.Append(size).Append(inner.ToArray()));
    }
}
