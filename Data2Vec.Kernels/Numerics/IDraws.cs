namespace Data2Vec.Kernels;

/// <summary>
/// Random draws of host code that asks for a variable number of them, in a fixed order: <see cref="PhiloxStream"/> makes
/// them, a recording can give them back.
/// </summary>
public interface IDraws
{
    /// <summary>A uniform double in [0, 1).</summary>
    double NextDouble();

    /// <summary>A uniform double between two bounds: low + (high - low) u; the bounds may be in reversed order.</summary>
    double NextDouble(double low, double high);

    /// <summary>A uniform integer in [0, bound).</summary>
    int NextInt(int bound);

    /// <summary>Draws <paramref name="count"/> different integers of [0, n), in random order.</summary>
    int[] SampleWithoutReplacement(int n, int count);

    /// <summary>Draws <paramref name="count"/> entries of a pool, none twice, in random order.</summary>
    int[] SampleWithoutReplacement(ReadOnlySpan<int> pool, int count);
}
