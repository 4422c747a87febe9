using System.Numerics;
using System.Runtime.InteropServices;

namespace Data2Vec.Models.Evaluation;

/// <summary>Examples of a linear probe: [rows, columns], dense or sparse.</summary>
/// <remarks>The products run on the calling thread in a fixed order: the same input gives the same bits.</remarks>
public abstract class FeatureMatrix
{
    private protected FeatureMatrix(int rows, int columns)
    {
        Rows = rows;
        Columns = columns;
    }

    /// <summary>Number of examples.</summary>
    public int Rows { get; }

    /// <summary>Number of features.</summary>
    public int Columns { get; }

    /// <summary>scores[r, c] += sum over j of x[first + r, j] * weights[j, c].</summary>
    /// <param name="first">First example of the block; a multiple of the vector length.</param>
    /// <param name="count">Examples of the block.</param>
    /// <param name="weights">[columns, width], row-major.</param>
    /// <param name="width">Outputs.</param>
    /// <param name="scores">[count, width], row-major.</param>
    internal abstract void Multiply(int first, int count, float[] weights, int width, float[] scores);

    /// <summary>gradient[j, c] += sum over r of x[first + r, j] * errors[r, c]; arguments as in Multiply.</summary>
    internal abstract void MultiplyTransposed(int first, int count, float[] errors, int width, float[] gradient);

    /// <summary>target += factor * source, element by element.</summary>
    private protected static void AddScaled(ReadOnlySpan<float> source, float factor, Span<float> target)
    {
        var from = MemoryMarshal.Cast<float, Vector<float>>(source);
        var to = MemoryMarshal.Cast<float, Vector<float>>(target);
        var by = new Vector<float>(factor);
        for (var i = 0; i < to.Length; i++) to[i] += by * from[i];
        for (var i = to.Length * Vector<float>.Count; i < target.Length; i++) target[i] += factor * source[i];
    }
}

/// <summary>Features of which few are not zero, such as bags of words.</summary>
public sealed class SparseFeatures : FeatureMatrix
{
    private readonly int[] starts;
    private readonly int[] columns;
    private readonly float[] values;

    /// <summary>One list of (column, value) for each example; a column named twice counts with the sum.</summary>
    /// <exception cref="ArgumentException">A column is out of range.</exception>
    public SparseFeatures(IReadOnlyList<IReadOnlyList<(int Column, float Value)>> rows, int columns)
        : base(rows.Count, columns)
    {
        starts = new int[rows.Count + 1];
        for (var r = 0; r < rows.Count; r++) starts[r + 1] = starts[r] + rows[r].Count;
        this.columns = new int[starts[^1]];
        values = new float[starts[^1]];
        var at = 0;
        foreach (var row in rows)
            foreach (var (column, value) in row)
            {
                if ((uint)column >= (uint)columns)
                    throw new ArgumentException($"Column {column} is out of the range of {columns} features.");
                (this.columns[at], values[at]) = (column, value);
                at++;
            }
    }

    /// <summary>
    /// Training and test examples over the columns that training examples use, renumbered: others have no weight.
    /// </summary>
    internal static (SparseFeatures Training, SparseFeatures Test) Pair(
        IReadOnlyList<IReadOnlyList<(int Column, float Value)>> training,
        IReadOnlyList<IReadOnlyList<(int Column, float Value)>> test)
    {
        var numbers = training.SelectMany(r => r).Select(f => f.Column).Distinct().Order()
            .Select((column, number) => (column, number)).ToDictionary();
        SparseFeatures Renumbered(IReadOnlyList<IReadOnlyList<(int Column, float Value)>> rows) => new(
            [.. rows.Select(r => r.Where(f => numbers.ContainsKey(f.Column))
                .Select(f => (numbers[f.Column], f.Value)).ToArray())],
            numbers.Count);
        return (Renumbered(training), Renumbered(test));
    }

    internal override void Multiply(int first, int count, float[] weights, int width, float[] scores)
    {
        for (var r = 0; r < count; r++)
            for (var i = starts[first + r]; i < starts[first + r + 1]; i++)
                AddScaled(weights.AsSpan(columns[i] * width, width), values[i], scores.AsSpan(r * width, width));
    }

    internal override void MultiplyTransposed(int first, int count, float[] errors, int width, float[] gradient)
    {
        for (var r = 0; r < count; r++)
            for (var i = starts[first + r]; i < starts[first + r + 1]; i++)
                AddScaled(errors.AsSpan(r * width, width), values[i], gradient.AsSpan(columns[i] * width, width));
    }
}
