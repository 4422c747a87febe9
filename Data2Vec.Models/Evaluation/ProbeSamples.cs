using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Reads the examples of probes out of a corpus.</summary>
internal static class ProbeSamples
{
    /// <summary>A random choice of samples, in their order; bad ones are dealt with and left out.</summary>
    /// <param name="samples">Where to choose from.</param>
    /// <param name="most">At most so many.</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <param name="name">The name of a sample.</param>
    /// <param name="read">Reads one.</param>
    /// <param name="bad">Policy and record.</param>
    /// <exception cref="BadSampleException">One is bad and the policy is to fail.</exception>
    public static List<T> Read<TSample, T>(
        IReadOnlyList<TSample> samples, int most, ulong seed, Func<TSample, string> name, Func<TSample, T> read,
        BadSamples bad)
    {
        var chosen = new PhiloxStream(new RandomKey(seed, 0, 0, 0))
            .SampleWithoutReplacement(samples.Count, Math.Min(most, samples.Count));
        var examples = new List<T>();
        foreach (var i in chosen.Order())
        {
            if (bad.Contains(name(samples[i]))) continue;
            try
            {
                examples.Add(read(samples[i]));
            }
            catch (Exception e) when (BadSamples.IsBad(e))
            {
                bad.Add(name(samples[i]), e);
            }
        }
        return examples;
    }
}
