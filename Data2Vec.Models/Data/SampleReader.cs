namespace Data2Vec.Models.Data;

/// <summary>
/// Reads samples by number under a policy for bad ones. In the place of a bad sample stands the next good one in the
/// order of numbers, so what a number gives depends on the data alone. Safe for several threads.
/// </summary>
/// <typeparam name="T">What a sample is read into.</typeparam>
public sealed class SampleReader<T>
{
    private readonly Func<int, string> name;
    private readonly Func<int, T> read;
    private readonly BadSamples bad;

    /// <param name="count">Number of samples.</param>
    /// <param name="name">The name of a sample.</param>
    /// <param name="read">
    /// Reads one; throws InvalidDataException, IOException or UnauthorizedAccessException for a bad one.
    /// </param>
    /// <param name="bad">Policy and record.</param>
    /// <exception cref="ArgumentException">There is no sample.</exception>
    public SampleReader(int count, Func<int, string> name, Func<int, T> read, BadSamples bad)
    {
        if (count <= 0) throw new ArgumentException("There is no sample to read.", nameof(count));
        Count = count;
        this.name = name;
        this.read = read;
        this.bad = bad;
    }

    /// <summary>Number of samples, bad ones included.</summary>
    public int Count { get; }

    /// <summary>The sample of a number, or the next good one after it (after the last comes the first).</summary>
    /// <exception cref="BadSampleException">It is bad and the policy is to fail.</exception>
    /// <exception cref="InvalidDataException">Every sample is bad.</exception>
    public T Read(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        for (var tried = 0; tried < Count; tried++)
        {
            var i = (int)((index + (long)tried) % Count);
            var sample = name(i);
            if (bad.Contains(sample)) continue;
            try
            {
                return read(i);
            }
            catch (Exception error) when (BadSamples.IsBad(error))
            {
                bad.Add(sample, error);
            }
        }
        var first = bad.List[0];
        throw new InvalidDataException($"All {Count} samples are bad; the first is {first.Name}: {first.Reason}");
    }
}
