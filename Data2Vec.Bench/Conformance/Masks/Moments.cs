namespace Data2Vec.Bench.Conformance;

/// <summary>A number with its standard error.</summary>
internal readonly record struct Estimate(double Value, double Error);

/// <summary>
/// Mean and standard error over batches for each entry of a vector. A batch is the independent unit, because its rows
/// can be tied. Updated batch by batch, so that entries that never change have the error 0 exactly (Welford).
/// </summary>
internal sealed class Moments(int length)
{
    private readonly double[] mean = new double[length];
    private readonly double[] squares = new double[length];
    private int batches;

    public void Add(ReadOnlySpan<double> values)
    {
        batches++;
        for (var i = 0; i < mean.Length; i++)
        {
            var before = values[i] - mean[i];
            mean[i] += before / batches;
            squares[i] += before * (values[i] - mean[i]);
        }
    }

    public void Add(double value) => Add([value]);

    public Estimate this[int i] =>
        new(mean[i], batches < 2 ? 0 : Math.Sqrt(squares[i] / (batches - 1) / batches));

    public int Length => mean.Length;
}
