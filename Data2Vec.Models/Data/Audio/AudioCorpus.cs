namespace Data2Vec.Models.Data;

/// <summary>A collection of utterances with a held-out part and a digest of the whole.</summary>
public sealed class AudioCorpus
{
    /// <param name="name">One line on where the corpus comes from.</param>
    /// <param name="samples">Every utterance, in an order that does not depend on the file system.</param>
    /// <param name="digest">SHA-256, in hexadecimal.</param>
    /// <param name="digestCovers">What the digest is of.</param>
    public AudioCorpus(string name, IReadOnlyList<AudioSample> samples, string digest, string digestCovers)
    {
        Name = name;
        Samples = samples;
        Training = [.. samples.Where(s => !s.HeldOut)];
        HeldOut = [.. samples.Where(s => s.HeldOut)];
        Digest = digest;
        DigestCovers = digestCovers;
    }

    /// <summary>One line on where the corpus comes from.</summary>
    public string Name { get; }

    /// <summary>Every utterance.</summary>
    public IReadOnlyList<AudioSample> Samples { get; }

    /// <summary>The utterances to train on.</summary>
    public IReadOnlyList<AudioSample> Training { get; }

    /// <summary>The utterances kept for evaluation; a function of their names alone.</summary>
    public IReadOnlyList<AudioSample> HeldOut { get; }

    /// <summary>SHA-256, in hexadecimal, of what <see cref="DigestCovers"/> says.</summary>
    public string Digest { get; }

    /// <summary>What the digest is of.</summary>
    public string DigestCovers { get; }

    /// <summary>Files and shards that were bad or held nothing to use when the corpus was opened.</summary>
    public IReadOnlyList<BadSample> LeftOut { get; init; } = [];

    /// <summary>Sound in hours, by the heads of the files.</summary>
    public double Hours => Samples.Sum(s => (double)s.Length) / AudioSample.SampleRate / 3600;

    /// <summary>
    /// Reads utterances by number, normalised to zero mean and unit variance each, under a policy for bad ones.
    /// </summary>
    /// <param name="samples">Training or held-out utterances.</param>
    /// <param name="bad">The policy.</param>
    /// <param name="fewestSamples">A file that gives fewer than this, whatever its head promised, is bad.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static SampleReader<float[]> Reader(
        IReadOnlyList<AudioSample> samples, BadSamples bad, int fewestSamples = 1) =>
        new(samples.Count, i => samples[i].Name, i =>
        {
            var wave = samples[i].Read();
            if (wave.Length < fewestSamples)
                throw new InvalidDataException(
                    $"{samples[i].Name}: the file gives {wave.Length} samples at 16 kHz; "
                    + $"at least {fewestSamples} are needed.");
            AudioFeatureExtractor.Normalise(wave);
            return wave;
        }, bad);
}
