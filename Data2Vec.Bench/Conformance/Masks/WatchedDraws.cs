using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>Remembers what was asked of a source of draws.</summary>
/// <param name="draws">The source.</param>
/// <param name="uniform">What every uniform number is instead; null = as drawn.</param>
internal sealed class WatchedDraws(IDraws draws, double? uniform = null) : IDraws
{
    /// <summary>How many integers were drawn.</summary>
    public int Integers { get; private set; }

    /// <summary>The range of the last sample.</summary>
    public int Range { get; private set; }

    /// <summary>The size of the last sample.</summary>
    public int Count { get; private set; }

    public double NextDouble() => uniform ?? draws.NextDouble();

    public double NextDouble(double low, double high) => draws.NextDouble(low, high);

    public int NextInt(int bound)
    {
        Integers++;
        return draws.NextInt(bound);
    }

    public int[] SampleWithoutReplacement(int n, int count)
    {
        (Range, Count) = (n, count);
        return draws.SampleWithoutReplacement(n, count);
    }

    public int[] SampleWithoutReplacement(ReadOnlySpan<int> pool, int count) =>
        draws.SampleWithoutReplacement(pool, count);
}
