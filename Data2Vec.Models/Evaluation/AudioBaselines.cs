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

    private readonly SpeechFrames frames;
    private readonly FrameFeatures[] bands;

    /// <summary>Analyses the clips, on all processors.</summary>
    public AudioBaselines(SpeechFrames frames)
    {
        this.frames = frames;
        bands = new FrameFeatures[frames.Waves.Count];
        Parallel.For(0, bands.Length, i => bands[i] = KaldiFeatures.FilterBank(frames.Waves[i], Mel));
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
            var mask = frames.Masks[clip];
            var (left, right) = (frame, frame);
            while (left >= 0 && mask[left]) left--;
            while (right < mask.Length && mask[right]) right++;
            // A mask never hides a whole clip.
            if (left < 0) left = right;
            if (right == mask.Length) right = left;
            var row = features.AsSpan(i * NeighbourWidth, NeighbourWidth);
            Copy(clip, left, row);
            Copy(clip, right, row[Bands..]);
            row[2 * Bands + Math.Min(Math.Abs(frame - left), Distances - 1)] = 1;
            row[2 * Bands + Distances + Math.Min(Math.Abs(right - frame), Distances - 1)] = 1;
        }
        return features;
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
                var frame = Math.Clamp(frames.Spoken[i].Frame + n - reach, 0, SpeechFrames.Count - 1);
                Copy(frames.Spoken[i].Clip, frame, features.AsSpan((i * around + n) * Bands));
            }
        return features;
    }

    /// <summary>Mean and deviation of every band over each clip: [clips, 2 bands].</summary>
    public float[] Pooled()
    {
        var features = new float[bands.Length * 2 * Bands];
        for (var i = 0; i < bands.Length; i++)
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
