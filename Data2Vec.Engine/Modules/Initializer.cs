using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>Gives a new parameter its values, as a function of a random key and the position of each element.</summary>
/// <param name="key">Seed of the run and number of the parameter.</param>
/// <param name="values">To be filled, row-major.</param>
/// <param name="shape">Its extents.</param>
public delegate void Initializer(RandomKey key, Span<double> values, Shape shape);

/// <summary>The initialisers that the models use.</summary>
public static class Initializers
{
    /// <summary>All 0.</summary>
    public static Initializer Zeros { get; } = Constant(0);

    /// <summary>All 1.</summary>
    public static Initializer Ones { get; } = Constant(1);

    /// <summary>All one value.</summary>
    public static Initializer Constant(double value) => (_, values, _) => values.Fill(value);

    /// <summary>N(0, deviation²); optionally one row of zeros (the padding row of an embedding).</summary>
    public static Initializer Normal(double deviation, int zeroRow = -1) => (key, values, shape) =>
    {
        for (var i = 0; i < values.Length; i++) values[i] = deviation * Philox.Normal(key, (ulong)i);
        if (zeroRow < 0) return;
        var columns = shape[-1];
        values.Slice(zeroRow * columns, columns).Clear();
    };

    /// <summary>Another initialiser's values times a factor.</summary>
    public static Initializer Scaled(Initializer initializer, double factor) => (key, values, shape) =>
    {
        initializer(key, values, shape);
        for (var i = 0; i < values.Length; i++) values[i] *= factor;
    };

    /// <summary>U[low, high).</summary>
    public static Initializer UniformBetween(double low, double high) => (key, values, _) =>
    {
        var stream = new PhiloxStream(key);
        for (var i = 0; i < values.Length; i++) values[i] = low + (high - low) * stream.NextDouble();
    };

    /// <summary>U(-bound, bound).</summary>
    public static Initializer Uniform(double bound) => (key, values, _) =>
    {
        var stream = new PhiloxStream(key);
        for (var i = 0; i < values.Length; i++) values[i] = bound * (2 * stream.NextDouble() - 1);
    };

    /// <summary>
    /// N(0, deviation²) restricted to [low, high], by the inverse of the distribution function: element i uses words 2i
    /// and 2i + 1 of the key.
    /// </summary>
    /// <exception cref="ArgumentException">The deviation is not positive, or low is not below high.</exception>
    public static Initializer TruncatedNormal(double deviation, double low, double high)
    {
        if (!(deviation > 0 && low < high))
        {
            throw new ArgumentException(
                $"TruncatedNormal: deviation must be positive and low below high; got {deviation}, {low}, {high}.");
        }
        // In the upper half the probabilities are all near 1 and would lose their digits: drawn in the mirror there.
        var sign = low > 0 ? -1 : 1;
        var from = NormalDistribution.Cdf((low > 0 ? -high : low) / deviation);
        var to = NormalDistribution.Cdf((low > 0 ? -low : high) / deviation);
        return (key, values, _) =>
        {
            var stream = new PhiloxStream(key);
            for (var i = 0; i < values.Length; i++)
            {
                var x = NormalDistribution.Quantile(from + (to - from) * stream.NextDouble());
                values[i] = Math.Clamp(sign * deviation * x, low, high);
            }
        };
    }

    /// <summary>
    /// N(0, 2 / fan in) for a weight [out, ...], fan in = elements per output: deviations stay as they are through
    /// layers followed by a rectifier. Source: He et al. 2015.
    /// </summary>
    public static Initializer KaimingNormal { get; } = (key, values, shape) =>
        Normal(Math.Sqrt(2.0 / FanIn(shape)))(key, values, shape);

    /// <summary>
    /// U(±sqrt(6 / ((1 + slope²) fan in))) for a weight [out, ...] followed by a leaky rectifier of this negative
    /// slope. Source: He et al. 2015.
    /// </summary>
    public static Initializer KaimingUniform(double slope) => (key, values, shape) =>
        Uniform(Math.Sqrt(6.0 / ((1 + slope * slope) * FanIn(shape))))(key, values, shape);

    /// <summary>
    /// U(±1 / sqrt(fan in)): what PyTorch gives the weights of linear layers and convolutions, as
    /// <see cref="KaimingUniform"/> of slope sqrt(5). Their biases have the bound of the weight:
    /// <see cref="InverseRoot"/> of its fan in.
    /// </summary>
    public static Initializer TorchDefault { get; } = (key, values, shape) =>
        InverseRoot(FanIn(shape))(key, values, shape);

    /// <summary>U(±1 / sqrt(fanIn)) for a given number of inputs.</summary>
    public static Initializer InverseRoot(long fanIn) => Uniform(1 / Math.Sqrt(Math.Max(1, fanIn)));

    /// <summary>Elements per output of a weight [out, ...].</summary>
    private static long FanIn(Shape shape) => Math.Max(1, shape.Count / Math.Max(1, shape[0]));

    /// <summary>U(±sqrt(6 / (fan in + fan out))) for a weight [out, in]. Source: Glorot and Bengio 2010.</summary>
    public static Initializer XavierUniform { get; } = (key, values, shape) =>
        Uniform(Math.Sqrt(6.0 / (shape[0] + (double)shape.Count / Math.Max(1, shape[0]))))(key, values, shape);
}
