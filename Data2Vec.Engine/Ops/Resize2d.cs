using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>How values between grid points are found.</summary>
public enum Interpolation
{
    /// <summary>From two neighbours each way.</summary>
    Bilinear,
    /// <summary>From four neighbours each way, by Keys' cubic with a = -0.75.</summary>
    Bicubic,
}

public static partial class Ops
{
    /// <summary>
    /// Another grid over the same area: y = R x Cᵀ with a constant matrix for rows and one for columns, pixel centres at
    /// (i + 0.5) * old / new - 0.5, the edge repeated outside, no antialiasing: PyTorch's interpolate with align_corners
    /// false. A composite of two matrix products, which have the derivatives.
    /// </summary>
    /// <param name="x">[H, W, C] or [B, H, W, C].</param>
    /// <param name="height">New H.</param>
    /// <param name="width">New W.</param>
    /// <param name="kind">Bilinear or bicubic.</param>
    /// <returns>[height, width, C] or [B, height, width, C].</returns>
    /// <exception cref="ArgumentException">Other dimensions, or a side below 1.</exception>
    public static Tensor Resize2d(Tensor x, int height, int width, Interpolation kind)
    {
        Refuse.NotFloat("Resize2d", x);
        Refuse.Unless(x.Shape.Rank is 3 or 4, $"Resize2d: x must be [height, width, channels] or a batch of them; got {x.Shape}.");
        var (oldHeight, oldWidth, channels) = (x.Shape[-3], x.Shape[-2], x.Shape[-1]);
        Refuse.Unless(height > 0 && width > 0 && oldHeight > 0 && oldWidth > 0,
            $"Resize2d: sides must be at least 1; got {x.Shape} to {height} x {width}.");
        var batch = x.Shape.Rank == 4 ? x.Shape[0] : 1;
        var rows = Weights(oldHeight, height, kind, x);
        var columns = Weights(oldWidth, width, kind, x);
        var y = MatMul(rows, Reshape(x, new Shape(batch, oldHeight, oldWidth * channels)));
        y = MatMul(columns, Reshape(y, new Shape(batch * height, oldWidth, channels)));
        return Reshape(y, x.Shape.Rank == 4
            ? new Shape(batch, height, width, channels)
            : new Shape(height, width, channels));
    }

    /// <summary>[to, from]: row i holds the shares of the old points in new point i; they sum to 1.</summary>
    private static Tensor Weights(int from, int to, Interpolation kind, Tensor like)
    {
        var weights = new double[(long)to * from];
        for (var i = 0; i < to; i++)
        {
            var at = (i + 0.5) * from / to - 0.5;
            if (kind == Interpolation.Bilinear) at = Math.Max(0, at);
            var first = (int)Math.Floor(at);
            var t = at - first;
            var (start, shares) = kind == Interpolation.Bilinear ? (first, (double[])[1 - t, t]) : (first - 1, Keys(t));
            for (var k = 0; k < shares.Length; k++)
                weights[i * from + Math.Clamp(start + k, 0, from - 1)] += shares[k];
        }
        return Tensor.FromDoubles(like.Device, weights, new Shape(to, from), like.DType);
    }

    /// <summary>Shares of four neighbours for a point t behind the second. Source: Keys 1981, a = -0.75.</summary>
    private static double[] Keys(double t)
    {
        const double a = -0.75;
        double Near(double d) => ((a + 2) * d - (a + 3)) * d * d + 1;
        double Far(double d) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
        return [Far(t + 1), Near(t), Near(1 - t), Far(2 - t)];
    }
}
