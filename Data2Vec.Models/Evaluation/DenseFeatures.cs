using System.Numerics;
using System.Runtime.InteropServices;

namespace Data2Vec.Models.Evaluation;

/// <summary>Features of an encoder, standardised: zero mean and unit deviation over the training examples.</summary>
public sealed class DenseFeatures : FeatureMatrix
{
    // Stored as [columns, rows rounded up]: then both products run along rows, whatever the number of classes.
    private readonly float[] values;
    private readonly int stride;

    private DenseFeatures(int rows, int columns) : base(rows, columns)
    {
        stride = Rounded(rows);
        values = new float[(long)columns * stride];
    }

    /// <summary>Mean of each feature over the training examples.</summary>
    private float[] Means { get; init; } = [];

    /// <summary>One over the deviation of each feature; 1 where it does not vary.</summary>
    private float[] Scales { get; init; } = [];

    /// <summary>Training examples: row-major features, standardised by their own statistics.</summary>
    /// <param name="features">[rows, columns], row-major.</param>
    /// <param name="columns">Number of features.</param>
    /// <exception cref="ArgumentException">The values make no whole rows, or one is not finite.</exception>
    public static DenseFeatures Standardised(float[] features, int columns)
    {
        var rows = RowsOf(features, columns);
        var sums = new double[columns];
        var squares = new double[columns];
        for (var r = 0; r < rows; r++)
            for (var j = 0; j < columns; j++) sums[j] += features[r * columns + j];
        for (var r = 0; r < rows; r++)
            for (var j = 0; j < columns; j++)
            {
                var difference = features[r * columns + j] - sums[j] / rows;
                squares[j] += difference * difference;
            }
        var means = Array.ConvertAll(sums, s => (float)(s / rows));
        // Rounding alone must not be blown up to unit deviation.
        var scales = squares.Select((s, j) => Math.Sqrt(s / rows) is var deviation
            && deviation > 1e-6 * (1 + Math.Abs(means[j])) ? (float)(1 / deviation) : 1f).ToArray();
        return Fill(features, new DenseFeatures(rows, columns) { Means = means, Scales = scales });
    }

    /// <summary>Other examples, standardised by the statistics of these.</summary>
    /// <param name="features">[rows, columns], row-major; the same columns.</param>
    /// <exception cref="ArgumentException">The values make no whole rows, or one is not finite.</exception>
    public DenseFeatures Alike(float[] features) =>
        Fill(features, new DenseFeatures(RowsOf(features, Columns), Columns) { Means = Means, Scales = Scales });

    internal override void Multiply(int first, int count, float[] weights, int width, float[] scores)
    {
        // first is a multiple of the vector length, so the padded block lies inside the padded column.
        var sums = new float[Rounded(count) * width];
        var padded = Rounded(count);
        for (var j = 0; j < Columns; j++)
        {
            var column = Vectors(values.AsSpan(j * stride + first, padded));
            for (var c = 0; c < width; c++)
            {
                var weight = weights[j * width + c];
                if (weight == 0) continue;
                var by = new Vector<float>(weight);
                var target = Vectors(sums.AsSpan(c * padded, padded));
                for (var i = 0; i < column.Length; i++) target[i] += by * column[i];
            }
        }
        for (var r = 0; r < count; r++)
            for (var c = 0; c < width; c++) scores[r * width + c] += sums[c * padded + r];
    }

    internal override void MultiplyTransposed(int first, int count, float[] errors, int width, float[] gradient)
    {
        var padded = Rounded(count);
        var turned = new float[padded * width];
        for (var r = 0; r < count; r++)
            for (var c = 0; c < width; c++) turned[c * padded + r] = errors[r * width + c];
        for (var j = 0; j < Columns; j++)
        {
            var column = Vectors(values.AsSpan(j * stride + first, padded));
            for (var c = 0; c < width; c++)
            {
                var target = Vectors(turned.AsSpan(c * padded, padded));
                var sum = Vector<float>.Zero;
                for (var i = 0; i < column.Length; i++) sum += target[i] * column[i];
                gradient[j * width + c] += Vector.Sum(sum);
            }
        }
    }

    private static Span<Vector<float>> Vectors(Span<float> values) => MemoryMarshal.Cast<float, Vector<float>>(values);

    private static int Rounded(int count) =>
        (count + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;

    private static int RowsOf(float[] features, int columns)
    {
        if (columns <= 0 || features.Length == 0 || features.Length % columns != 0)
            throw new ArgumentException(
                $"{features.Length} values do not make whole rows of {columns} features.", nameof(features));
        for (var i = 0; i < features.Length; i++)
            if (!float.IsFinite(features[i]))
                throw new ArgumentException(
                    $"Feature {i % columns} of example {i / columns} is {features[i]}; features must be finite.",
                    nameof(features));
        return features.Length / columns;
    }

    private static DenseFeatures Fill(float[] features, DenseFeatures result)
    {
        for (var r = 0; r < result.Rows; r++)
            for (var j = 0; j < result.Columns; j++)
                result.values[j * result.stride + r] =
                    (features[r * result.Columns + j] - result.Means[j]) * result.Scales[j];
        return result;
    }
}
