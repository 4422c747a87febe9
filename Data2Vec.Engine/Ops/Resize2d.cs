using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>How values between grid points are found.</summary>
public enum Interpolation
{
    /// <summary>Straight lines between the two neighbours along each axis.</summary>
    Bilinear,
    /// <summary>Cubic convolution over four neighbours along each axis (Keys 1981); may overshoot.</summary>
    Bicubic,
}

public static partial class Ops
{
    /// <summary>
    /// A grid of vectors brought to another size: position tables, images. Each axis is one product with a constant
    /// matrix [new, old], so the gradient is exact; the matrices are made on the host in double and rounded once.
    /// Sample i lies at (i + 0.5) old / new - 0.5, neighbours outside the grid repeat its border. No low-pass filter:
    /// shrinking skips values. Source: PyTorch's interpolate.
    /// </summary>
    /// <param name="x">[H, W, C] or [B, H, W, C].</param>
    /// <param name="height">New H, at least 1.</param>
    /// <param name="width">New W, at least 1.</param>
    /// <param name="interpolation">Bilinear or bicubic.</param>
    /// <param name="alignCorners">The corners of both grids coincide: sample i at i (old - 1) / (new - 1).</param>
    /// <param name="cubic">Keys' constant a: -0.75 in PyTorch, -0.5 in PIL.</param>
    /// <param name="scale">
    /// Factors (height, width) that place the samples instead of new / old; not with aligned corners.
    /// </param>
    /// <returns>[height, width, C] or [B, height, width, C].</returns>
    /// <exception cref="ArgumentException">Shapes or sizes do not fit.</exception>
    public static Tensor Resize2d(
        Tensor x, int height, int width, Interpolation interpolation = Interpolation.Bilinear,
        bool alignCorners = false, double cubic = -0.75, (double Height, double Width)? scale = null)
    {
        Refuse.NotFloat("Resize2d", x);
        Refuse.Unless(x.Shape.Rank is 3 or 4 && x.Shape[-3] >= 1 && x.Shape[-2] >= 1,
            $"Resize2d: x must be [height, width, channels] or a batch of those; got {x.Shape}.");
        Refuse.Unless(height >= 1 && width >= 1,
            $"Resize2d: the new size must be at least 1 x 1; got {height} x {width}.");
        Refuse.Unless(scale is null or { Height: > 0, Width: > 0 },
            $"Resize2d: scales must be positive; got {scale?.Height} and {scale?.Width}.");
        double[] Axis(int old, int size, double? factor) =>
            ResizeAxis(old, size, interpolation, alignCorners, cubic, factor ?? (double)size / old);
        var y = AlongDimension(x, x.Shape.Rank - 3, Axis(x.Shape[-3], height, scale?.Height), height);
        return AlongDimension(y, x.Shape.Rank - 2, Axis(x.Shape[-2], width, scale?.Width), width);
    }

    /// <summary>Row i holds the weights of the old positions in new position i.</summary>
    private static double[] ResizeAxis(
        int old, int size, Interpolation interpolation, bool alignCorners, double cubic, double scale)
    {
        var matrix = new double[(long)size * old];
        for (var i = 0; i < size; i++)
        {
            var at = alignCorners ? (size == 1 ? 0 : i * (old - 1.0) / (size - 1)) : (i + 0.5) / scale - 0.5;
            if (interpolation == Interpolation.Bilinear) at = Math.Max(at, 0);
            var first = (int)Math.Floor(at);
            var t = at - first;
            void Add(int position, double weight) => matrix[i * old + Math.Clamp(position, 0, old - 1)] += weight;
            if (interpolation == Interpolation.Bilinear)
            {
                Add(first, 1 - t);
                Add(first + 1, t);
                continue;
            }
            for (var k = -1; k <= 2; k++) Add(first + k, CubicWeight(Math.Abs(t - k), cubic));
        }
        return matrix;
    }

    /// <summary>Weight of a neighbour at distance d below 2.</summary>
    private static double CubicWeight(double d, double a) => d <= 1
        ? ((a + 2) * d - (a + 3)) * d * d + 1
        : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}
