using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// (sum |x|^p)^(1/p) over dimensions (all when none are named); p = infinity is the largest magnitude, -infinity
    /// the smallest, 0 the number of elements that are not 0. At 0 the derivative of the 2-norm is 0.
    /// </summary>
    public static Tensor Norm(
        Tensor x, double p = 2, ReadOnlySpan<int> dimensions = default, bool keepDimensions = false)
    {
        Refuse.NotFloat("Norm", x);
        if (p == 2) return Root(Reduce(ReduceOp.SumOfSquares, x, dimensions, keepDimensions));
        var magnitude = Unary(UnaryOp.Abs, x);
        if (p == 1) return Sum(magnitude, dimensions, keepDimensions);
        if (double.IsPositiveInfinity(p)) return Max(magnitude, dimensions, keepDimensions);
        if (double.IsNegativeInfinity(p)) return Min(magnitude, dimensions, keepDimensions);
        if (p != 0) return Pow(Sum(Pow(magnitude, p), dimensions, keepDimensions), 1 / p);
        var zero = Tensor.Zeros(x.Device, new Shape(), x.DType);
        var counted = Cast(Binary(BinaryOp.NotEqual, x.Detach(), zero), x.DType);
        // Added times zero, so that the count has the gradient 0 and not none.
        return Sum(Add(counted, Affine(magnitude, 0)), dimensions, keepDimensions);
    }

    /// <summary>
    /// Root of the variance over dimensions, divided by count - correction (1 = unbiased, 0 = biased); derivative 0
    /// where it is 0.
    /// </summary>
    public static Tensor StandardDeviation(
        Tensor x, ReadOnlySpan<int> dimensions = default, double correction = 1, bool keepDimensions = false) =>
        Root(Variance(x, dimensions, correction, keepDimensions));

    /// <summary>
    /// sum(x y) / (max(|x|, eps) max(|y|, eps)) along a dimension, x and y broadcast: the cosine of the angle between
    /// them.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// Types or devices differ, the shapes do not broadcast, or there is no such dimension.
    /// </exception>
    public static Tensor CosineSimilarity(Tensor x, Tensor y, int dimension = -1, double eps = 1e-8)
    {
        Refuse.NotFloat("CosineSimilarity", x);
        Refuse.OtherDevices("CosineSimilarity", x, y);
        Refuse.OtherTypes("CosineSimilarity", x, y);
        var shape = Broadcast("CosineSimilarity", x.Shape, y.Shape);
        Refuse.Unless(dimension >= -Math.Max(1, shape.Rank) && dimension < Math.Max(1, shape.Rank),
            $"CosineSimilarity: {shape} has no dimension {dimension}.");
        var (a, b) = (Expand(x, shape), Expand(y, shape));
        Tensor Direction(Tensor v) => Div(v, Clamp(Norm(v, 2, [dimension], keepDimensions: true), eps));
        return Sum(Mul(Direction(a), Direction(b)), [dimension]);
    }

    /// <summary>
    /// Tensors that are gradients, scaled together so that the p-norm of all their elements is at most a bound: times
    /// min(1, bound / (norm + 1e-6)), PyTorch's clip_grad_norm_. Training clips inside the optimiser's kernels instead;
    /// this is for gradients held as tensors.
    /// </summary>
    /// <returns>The norm before clipping, and the scaled tensors.</returns>
    /// <exception cref="ArgumentException">No tensors, or the bound is negative.</exception>
    public static (Tensor Norm, Tensor[] Clipped) ClipNorm(ReadOnlySpan<Tensor> gradients, double bound, double p = 2)
    {
        Refuse.Unless(gradients.Length > 0, "ClipNorm: at least one tensor is needed.");
        Refuse.Unless(bound >= 0, $"ClipNorm: the bound must not be negative; got {bound}.");
        var norms = new Tensor[gradients.Length];
        for (var i = 0; i < norms.Length; i++) norms[i] = Norm(gradients[i], p);
        var norm = Norm(Stack(norms, 0), p);
        var most = Tensor.Full(norm.Device, new Shape(), norm.DType, bound);
        var factor = Clamp(Div(most, Affine(norm, 1, 1e-6)), high: 1);
        var clipped = new Tensor[gradients.Length];
        for (var i = 0; i < clipped.Length; i++) clipped[i] = Mul(gradients[i], factor);
        return (norm, clipped);
    }

    /// <summary>
    /// Square root whose derivative at 0 is 0, as deviations and norms have it: at 0 the root is taken of 1 and put
    /// aside.
    /// </summary>
    private static Tensor Root(Tensor square)
    {
        var zero = Tensor.Zeros(square.Device, new Shape(), square.DType);
        var isZero = Binary(BinaryOp.Equal, square.Detach(), zero);
        var safe = Where(isZero, Tensor.Full(square.Device, new Shape(), square.DType, 1), square);
        return Where(isZero, zero, Sqrt(safe));
    }
}
