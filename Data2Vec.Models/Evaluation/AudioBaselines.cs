using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>What can be said about clips without an encoder: log-mel bands of single frames.</summary>
internal sealed class AudioBaselines
{
    /// <summary>Mel bands.</summary>
    public const int Bands = 40;

    /// <summary>Features of <see cref="Neighbours"/>.</summary>
    public const int NeighbourWidth = 2 * (Bands + Distances);

    // Longer distances count as the longest.
    private const int Distances = 16;

    private static readonly KaldiOptions Mel = new()
    {
        FrameShift = 20, MelBins = Bands, Window = FrameWindow.Hanning, LowFrequency = 50, Preemphasis = 0,
        RemoveOffset = false,
    };

    private readonly MaskedClips frames;
    private readonly IReadOnlyList<FrameFeatures> bands;

    /// <summary>Analyses the clips.</summary>
    public AudioBaselines(MaskedClips frames)
        : this(frames, Analyse(frames.Waves))
    {
    }

    /// <param name="frames">The clips.</param>
    /// <param name="bands">Their analysis.</param>
    public AudioBaselines(MaskedClips frames, IReadOnlyList<FrameFeatures> bands)
    {
        this.frames = frames;
        this.bands = bands;
    }

    /// <summary>Log-mel bands of every frame of waveforms, on all processors.</summary>
    public static IReadOnlyList<FrameFeatures> Analyse(IReadOnlyList<float[]> waves)
    {
        var bands = new FrameFeatures[waves.Count];
        Parallel.For(0, bands.Length, i => bands[i] = KaldiFeatures.FilterBank(waves[i], Mel));
        return bands;
    }

    /// <summary>
    /// For each hidden frame the nearest visible ones to the left and to the right (where one side has none, the other
    /// one's twice), and how far they are: [places, <see cref="NeighbourWidth"/>].
    /// </summary>
    public float[] Neighbours()
    {
        var features = new float[frames.Hidden.Count * NeighbourWidth];
        for (var i = 0; i < frames.Hidden.Count; i++)
        {
            var (clip, frame) = frames.Hidden[i];
            var (left, right) = Nearest(clip, frame);
            var row = features.AsSpan(i * NeighbourWidth, NeighbourWidth);
            Copy(clip, left, row);
            Copy(clip, right, row[Bands..]);
            row[2 * Bands + Math.Min(Math.Abs(frame - left), Distances - 1)] = 1;
            row[2 * Bands + Distances + Math.Min(Math.Abs(right - frame), Distances - 1)] = 1;
        }
        return features;
    }

    /// <summary>The nearest visible frames on both sides; where one side has none, the other one's twice.</summary>
    public VisibleFrames Nearest(int clip, int frame)
    {
        var mask = frames.Masks[clip];
        var (left, right) = (frame, frame);
        while (left >= 0 && mask[left]) left--;
        while (right < mask.Length && mask[right]) right++;
        // A mask never hides a whole clip.
        if (left < 0) left = right;
        return new(left, right == mask.Length ? left : right);
    }

    /// <summary>
    /// The spoken frames themselves with their neighbours on each side: [places, (2 reach + 1) bands]; the first and the
    /// last frame of a clip stand beyond its ends.
    /// </summary>
    public float[] Spoken(int reach)
    {
        var around = 2 * reach + 1;
        var features = new float[frames.Spoken.Count * around * Bands];
        for (var i = 0; i < frames.Spoken.Count; i++)
            for (var n = 0; n < around; n++)
            {
                var frame = Math.Clamp(frames.Spoken[i].Frame + n - reach, 0, MaskedClips.Count - 1);
                Copy(frames.Spoken[i].Clip, frame, features.AsSpan((i * around + n) * Bands));
            }
        return features;
    }

    /// <summary>Mean and deviation of every band over each clip: [clips, 2 bands].</summary>
    public float[] Pooled() => Pooled(bands);

    /// <summary>The same of clips that have been analysed.</summary>
    public static float[] Pooled(IReadOnlyList<FrameFeatures> bands)
    {
        var features = new float[bands.Count * 2 * Bands];
        for (var i = 0; i < bands.Count; i++)
            for (var j = 0; j < Bands; j++)
            {
                var (sum, squares) = (0.0, 0.0);
                for (var t = 0; t < bands[i].Frames; t++) sum += bands[i].Row(t)[j];
                var mean = sum / bands[i].Frames;
                for (var t = 0; t < bands[i].Frames; t++) squares += Math.Pow(bands[i].Row(t)[j] - mean, 2);
                features[i * 2 * Bands + j] = (float)mean;
                features[i * 2 * Bands + Bands + j] = (float)Math.Sqrt(squares / bands[i].Frames);
            }
        return features;
    }

    private void Copy(int clip, int frame, Span<float> to)
    {
        var from = bands[clip].Row(frame);
        for (var j = 0; j < Bands; j++) to[j] = (float)from[j];
    }
}

/// <summary>The visible frames on both sides of a hidden one.</summary>
internal readonly record struct VisibleFrames(int Left, int Right)
{
    /// <summary>The one nearer to a frame; of two, the earlier.</summary>
    public int Nearer(int frame) => Math.Abs(frame - Left) <= Math.Abs(Right - frame) ? Left : Right;
}
