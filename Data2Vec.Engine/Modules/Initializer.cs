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

    /// <summary>U(-bound, bound).</summary>
    public static Initializer Uniform(double bound) => (key, values, _) =>
    {
        var stream = new PhiloxStream(key);
        for (var i = 0; i < values.Length; i++) values[i] = bound * (2 * stream.NextDouble() - 1);
    };

    /// <summary>U(±sqrt(6 / (fan in + fan out))) for a weight [out, in]. Source: Glorot and Bengio 2010.</summary>
    public static Initializer XavierUniform { get; } = (key, values, shape) =>
        Uniform(Math.Sqrt(6.0 / (shape[0] + (double)shape.Count / Math.Max(1, shape[0]))))(key, values, shape);
}
