namespace Data2Vec.Models.Data;

/// <summary>To which length utterances of one batch are padded.</summary>
public enum AudioPadding
{
    /// <summary>Not at all: every utterance keeps its length.</summary>
    None,
    /// <summary>To the longest of the batch.</summary>
    Longest,
    /// <summary>To a given length; longer ones stay longer unless they are truncated.</summary>
    MaxLength,
}

/// <summary>How waveforms are made into the input of an audio encoder.</summary>
public sealed record AudioExtractorOptions
{
    /// <summary>Bring every utterance to zero mean and unit variance.</summary>
    public bool Normalize { get; init; } = true;

    /// <summary>
    /// True: the statistics are those of an utterance's own samples. False, as published extractors without an
    /// attention mask: padding counts too and is normalised with the rest.
    /// </summary>
    public bool UsesMask { get; init; } = true;

    /// <summary>Added to the variance: 1e-7 in transformers, 1e-5 in fairseq.</summary>
    public double Epsilon { get; init; } = 1e-7;

    /// <summary>What fills up the shorter utterances, at their end.</summary>
    public float PaddingValue { get; init; }

    /// <summary>Up to where they are filled up.</summary>
    public AudioPadding Padding { get; init; } = AudioPadding.Longest;

    /// <summary>The length for <see cref="AudioPadding.MaxLength"/> and for truncation.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Cut longer utterances at <see cref="MaxLength"/>.</summary>
    public bool Truncate { get; init; }

    /// <summary>The padded length, and that of truncation, are raised to a multiple of this.</summary>
    public int? PadToMultipleOf { get; init; }
}

/// <summary>A batch of waveforms as an encoder takes it.</summary>
/// <param name="Values">Samples of each utterance, padding included.</param>
/// <param name="ValidSamples">How many of them, from the first on, are its own.</param>
public sealed record ExtractedAudio(float[][] Values, int[] ValidSamples)
{
    /// <summary>The attention mask of one utterance: 1 for its own samples, 0 for padding.</summary>
    public int[] Mask(int utterance)
    {
        var mask = new int[Values[utterance].Length];
        Array.Fill(mask, 1, 0, ValidSamples[utterance]);
        return mask;
    }
}

/// <summary>
/// Normalises and pads utterances as transformers' Wav2Vec2FeatureExtractor does, padding at the end (its padding on
/// the left takes the statistics of the wrong samples and is not offered). Statistics are summed in double.
/// </summary>
public static class AudioFeatureExtractor
{
    /// <summary>The input for a batch.</summary>
    /// <param name="waves">Waveforms at the rate of the model; none is empty.</param>
    /// <param name="options">What is done; null = the defaults.</param>
    /// <exception cref="ArgumentException">An utterance is empty, or a length is missing or not positive.</exception>
    public static ExtractedAudio Extract(IReadOnlyList<float[]> waves, AudioExtractorOptions? options = null)
    {
        options ??= new AudioExtractorOptions();
        var limit = Limit(options);
        var values = new float[waves.Count][];
        var valid = new int[waves.Count];
        for (var i = 0; i < waves.Count; i++)
        {
            if (waves[i].Length == 0) throw new ArgumentException($"Utterance {i} of the batch has no samples.");
            valid[i] = options.Truncate ? Math.Min(waves[i].Length, limit) : waves[i].Length;
        }
        var common = options.Padding switch
        {
            AudioPadding.Longest => Raised(valid.Max(), options.PadToMultipleOf),
            AudioPadding.MaxLength => limit,
            _ => 0,
        };
        for (var i = 0; i < waves.Count; i++)
        {
            var row = values[i] = new float[Math.Max(valid[i], common)];
            Array.Fill(row, options.PaddingValue);
            waves[i].AsSpan(0, valid[i]).CopyTo(row);
            if (!options.Normalize) continue;
            if (options.UsesMask) Normalise(row.AsSpan(0, valid[i]), options.Epsilon);
            else Normalise(row, options.Epsilon);
        }
        return new ExtractedAudio(values, valid);
    }

    /// <summary>x becomes (x - mean) / sqrt(variance + epsilon), with the mean square deviation as variance.</summary>
    /// <param name="samples">One utterance, changed in place.</param>
    /// <param name="epsilon">1e-7 in transformers, 1e-5 in fairseq.</param>
    public static void Normalise(Span<float> samples, double epsilon = 1e-7)
    {
        if (samples.IsEmpty) return;
        var sum = 0.0;
        foreach (var x in samples) sum += x;
        var mean = sum / samples.Length;
        var squares = 0.0;
        foreach (var x in samples) squares += (x - mean) * (x - mean);
        var scale = 1 / Math.Sqrt(squares / samples.Length + epsilon);
        foreach (ref var x in samples) x = (float)((x - mean) * scale);
    }

    private static int Limit(AudioExtractorOptions options)
    {
        if (options.PadToMultipleOf is <= 0)
            throw new ArgumentException($"The padded length cannot be a multiple of {options.PadToMultipleOf}.");
        if (options.MaxLength is { } length)
            return length > 0 ? Raised(length, options.PadToMultipleOf)
                : throw new ArgumentException($"The greatest length must be positive; got {length}.");
        if (options.Truncate || options.Padding == AudioPadding.MaxLength)
            throw new ArgumentException("Truncation and padding to a given length need that length.");
        return 0;
    }

    private static int Raised(int length, int? multiple) =>
        multiple is { } m ? checked((length + m - 1) / m * m) : length;
}
