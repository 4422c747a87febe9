using Data2Vec.Kernels;

namespace Data2Vec.Bench.Cases;

/// <summary>
/// One operand of a case: its shape and how its values are drawn. Values are float32 numbers (indices and masks too,
/// exactly), drawn by Philox from the name of the case, so that every device and every type sees the same numbers.
/// </summary>
internal sealed class Input
{
    private readonly Action<RandomKey, float[]> draw;

    private Input(string name, ReadOnlySpan<int> shape, Action<RandomKey, float[]> draw, DType? type = null)
    {
        Name = name;
        Shape = new Shape(shape);
        this.draw = draw;
        Type = type;
        IsDifferentiable = type is null;
        MayBePerturbed = type is null;
    }

    public string Name { get; }

    public Shape Shape { get; }

    /// <summary>The type of an index or mask; null = the floating-point type that the case runs in.</summary>
    public DType? Type { get; }

    /// <summary>Whether gradients by this operand are asked for.</summary>
    public bool IsDifferentiable { get; private init; }

    /// <summary>Whether a change in the last bits keeps the meaning of the case; not so for ties that are given.</summary>
    public bool MayBePerturbed { get; private init; }

    /// <summary>Standard normal numbers.</summary>
    public static Input Normal(string name, params ReadOnlySpan<int> shape) =>
        new(name, shape, static (key, values) => Philox.FillNormal(key, values));

    /// <summary>Uniform numbers of [low, high).</summary>
    public static Input Uniform(string name, float low, float high, params ReadOnlySpan<int> shape) =>
        new(name, shape, (key, values) =>
        {
            Philox.FillUniform(key, values);
            for (var i = 0; i < values.Length; i++) values[i] = low + (high - low) * values[i];
        });

    /// <summary>Both signs, at least 0.1 away from a kink or pole at 0, at most 2.1.</summary>
    public static Input AwayFromZero(string name, params ReadOnlySpan<int> shape) =>
        new(name, shape, static (key, values) =>
        {
            Philox.FillUniform(key, values);
            for (var i = 0; i < values.Length; i++)
                values[i] = values[i] < 0.5f ? -0.1f - 4 * values[i] : 0.1f + 4 * (values[i] - 0.5f);
        });

    /// <summary>Different numbers in random order, at least 0.2 apart: no ties, no near ties.</summary>
    public static Input Distinct(string name, params ReadOnlySpan<int> shape) =>
        new(name, shape, static (key, values) =>
        {
            for (var i = 0; i < values.Length; i++) values[i] = (i - values.Length / 2) * 0.2f + 0.05f;
            new PhiloxStream(key).Shuffle<float>(values);
        });

    /// <summary>Row or class indices of [0, below).</summary>
    public static Input Index(string name, int below, params ReadOnlySpan<int> shape) =>
        new(name, shape, (key, values) =>
        {
            var stream = new PhiloxStream(key);
            for (var i = 0; i < values.Length; i++) values[i] = stream.NextInt(below);
        }, DType.Int32);

    /// <summary>Different row indices of [0, below), in random order.</summary>
    public static Input DistinctIndex(string name, int below, int count) =>
        new(name, [count], (key, values) =>
        {
            var rows = new PhiloxStream(key).SampleWithoutReplacement(below, count);
            for (var i = 0; i < count; i++) values[i] = rows[i];
        }, DType.Int32);

    /// <summary>Given indices.</summary>
    public static Input Indices(string name, params int[] values) =>
        new(name, [values.Length], (_, target) => Array.ConvertAll(values, i => (float)i).CopyTo(target, 0), DType.Int32);

    /// <summary>Bool, each element true with this probability.</summary>
    public static Input Mask(string name, float probability, params ReadOnlySpan<int> shape) =>
        new(name, shape, (key, values) =>
        {
            Philox.FillUniform(key, values);
            for (var i = 0; i < values.Length; i++) values[i] = values[i] < probability ? 1 : 0;
        }, DType.Bool);

    /// <summary>Bool [batch, time] with the given numbers of leading true elements per row: padded batches.</summary>
    public static Input Lengths(string name, int time, params int[] lengths) =>
        new(name, [lengths.Length, time], (_, values) =>
        {
            for (var i = 0; i < values.Length; i++) values[i] = i % time < lengths[i / time] ? 1 : 0;
        }, DType.Bool);

    /// <summary>Exactly these numbers; they are never perturbed.</summary>
    public static Input Given(string name, float[] numbers, params ReadOnlySpan<int> shape) =>
        new(name, shape, (_, values) => numbers.CopyTo(values, 0)) { MayBePerturbed = false };

    /// <summary>The same numbers in another shape.</summary>
    public Input As(params ReadOnlySpan<int> shape) => new(Name, shape, draw, Type)
    {
        IsDifferentiable = IsDifferentiable,
        MayBePerturbed = MayBePerturbed,
    };

    /// <summary>The same operand as int64.</summary>
    public Input Wide() => new(Name, Shape.ToArray(), draw, DType.Int64);

    /// <summary>The same operand without a gradient.</summary>
    public Input Constant() => new(Name, Shape.ToArray(), draw, Type)
    {
        IsDifferentiable = false,
        MayBePerturbed = MayBePerturbed,
    };

    /// <summary>The same operand where a change in the last bits would change the meaning: steps, exact rounding.</summary>
    public Input Exact() => new(Name, Shape.ToArray(), draw, Type)
    {
        IsDifferentiable = IsDifferentiable,
        MayBePerturbed = false,
    };

    /// <summary>The values of this operand in a case.</summary>
    public float[] Draw(RandomKey key)
    {
        var values = new float[Shape.Count];
        if (values.Length > 0) draw(key, values);
        return values;
    }
}
