using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// Batches of clips for pre-training. Clips of like length go together; all of a batch are cut to its shortest at a random
/// place, so that nothing is padded. Which clips a step sees, where they are cut and what is masked is a function of seed
/// and step alone.
/// </summary>
public sealed class AudioBatches : IBatchSource<AudioPretrainBatch>
{
    /// <summary>Lengths within this ratio count as alike.</summary>
    private const double Alike = 1.1;

    private readonly IReadOnlyList<int> lengths;
    private readonly Func<int, float[]> read;
    private readonly int batchSize, maxSamples;
    private readonly AudioEncoderConfig encoder;
    private readonly SpanMaskConfig masking;
    private readonly ulong seed;
    private int[] order = [];
    private long epoch = -1;

    /// <param name="lengths">Samples of every clip.</param>
    /// <param name="read">Reads a clip by its number: mono, 16 kHz, normalised. Called from one thread at a time.</param>
    /// <param name="batchSize">Clips of one micro-batch.</param>
    /// <param name="maxSamples">Longer clips are cut to this.</param>
    /// <param name="encoder">Says how many frames come out of a clip.</param>
    /// <param name="masking">How frames are masked.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <exception cref="ArgumentException">There is no clip, or one is too short for a frame.</exception>
    public AudioBatches(
        IReadOnlyList<int> lengths, Func<int, float[]> read, int batchSize, int maxSamples, AudioEncoderConfig encoder,
        SpanMaskConfig masking, ulong seed)
    {
        if (lengths.Count == 0) throw new ArgumentException("There is no clip to train on.");
        if (lengths.Min() < encoder.FewestSamples)
            throw new ArgumentException($"Clips need at least {encoder.FewestSamples} samples; got one of {lengths.Min()}.");
        this.lengths = lengths;
        this.read = read;
        this.batchSize = batchSize;
        this.maxSamples = maxSamples;
        this.encoder = encoder;
        this.masking = masking;
        this.seed = seed;
    }

    /// <summary>Batches of an epoch; a rest that fills none is left out, another one every epoch.</summary>
    public int EpochLength => Math.Max(1, lengths.Count / batchSize);

    /// <inheritdoc/>
    public AudioPretrainBatch Get(uint step, int microBatch, int microBatches)
    {
        var rows = Rows((long)step * microBatches + microBatch);
        var clips = Array.ConvertAll(rows, row => read(row));
        var samples = Math.Min(maxSamples, clips.Min(c => c.Length));
        var waveforms = new float[batchSize * samples];
        var crop = new PhiloxStream(new RandomKey(seed, step, (ushort)microBatch, DataSites.Crop));
        for (var b = 0; b < batchSize; b++)
        {
            var from = crop.NextInt(clips[b].Length - samples + 1);
            clips[b].AsSpan(from, samples).CopyTo(waveforms.AsSpan(b * samples));
        }
        var draws = new PhiloxStream(new RandomKey(seed, step, (ushort)microBatch, DataSites.Mask));
        return new AudioPretrainBatch(batchSize, samples, waveforms, null, Mask(encoder.Frames(samples), draws));
    }

    /// <exception cref="InvalidDataException">The clips are so short that spans can hide one whole.</exception>
    private bool[] Mask(int frames, PhiloxStream draws)
    {
        try
        {
            return AudioMasker.Mask(batchSize, frames, masking, draws);
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidDataException($"Clips of {frames} frames are too short for this masking; raise min_samples or "
                + $"lower mask_length or mask_probability. {e.Message}", e);
        }
    }

    /// <summary>The clips of batch n of the run.</summary>
    private int[] Rows(long n)
    {
        if (n / EpochLength != epoch)
        {
            epoch = n / EpochLength;
            order = Order(new PhiloxStream(new RandomKey(seed, (uint)epoch, 0, DataSites.Order)));
        }
        var first = n % EpochLength * batchSize;
        var rows = new int[batchSize];
        for (var i = 0; i < batchSize; i++) rows[i] = order[(first + i) % order.Length];
        return rows;
    }

    /// <summary>All clips, shuffled, then gathered by length, then cut into batches whose order is shuffled.</summary>
    private int[] Order(PhiloxStream random)
    {
        int[] clips = [.. Enumerable.Range(0, lengths.Count)];
        random.Shuffle<int>(clips);
        int LengthClass(int clip) => (int)(Math.Log(Math.Min(maxSamples, lengths[clip])) / Math.Log(Alike));
        // The rest that fills no batch is cut off before sorting: else it would always be the longest clips.
        if (clips.Length > batchSize) clips = clips[..(EpochLength * batchSize)];
        var batches = clips.OrderBy(LengthClass).Chunk(batchSize).ToArray();
        random.Shuffle<int[]>(batches);
        return [.. batches.SelectMany(b => b)];
    }
}
