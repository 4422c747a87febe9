using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>What can be read off the log-mel spectrum of a clip without any model.</summary>
internal sealed class AudioBaselines
{
    private const int Bands = 40;
    private const int Farthest = 15;

    // Added to the bands' energies: speech of unit variance has energies of 1 to 1e5, its pauses far less than this.
    private const double Floor = 1e-3;

    private static readonly KaldiOptions Spectrum = new()
    {
        FrameShift = 20, Window = FrameWindow.Hanning, Preemphasis = 0, RemoveOffset = false, MelBins = Bands,
        LowFrequency = 50, UseLog = false,
    };

    private readonly SpeechFrameSet set;
    private readonly FrameFeatures[] spectra;

    public AudioBaselines(SpeechFrameSet set)
    {
        this.set = set;
        spectra = new FrameFeatures[set.Waves.Count];
        Parallel.For(0, spectra.Length, i =>
        {
            var bands = KaldiFeatures.FilterBank(set.Waves[i], Spectrum);
            foreach (ref var value in bands.Values.AsSpan()) value = Math.Log(value + Floor);
            spectra[i] = bands;
        });
    }

    /// <summary>Width of <see cref="NearestVisible"/>.</summary>
    public const int NearestWidth = 2 * (Bands + Farthest + 1);

    /// <summary>Width of <see cref="Pooled"/>.</summary>
    public const int PooledWidth = 2 * Bands;

    /// <summary>Width of <see cref="Around"/>.</summary>
    public static int AroundWidth(int neighbours) => (2 * neighbours + 1) * Bands;

    /// <summary>
    /// The last visible frame before each hidden one, the first one after it, and how far away they are (one of 16
    /// classes each); at an end of the clip the other side stands for both.
    /// </summary>
    public float[] NearestVisible((int Clip, int Frame)[] places)
    {
        var features = new float[places.Length * NearestWidth];
        for (var i = 0; i < places.Length; i++)
        {
            var (clip, frame) = places[i];
            var mask = set.Masks[clip];
            var before = Array.FindLastIndex(mask, frame, m => !m);
            var after = Array.FindIndex(mask, frame, m => !m);
            if (before < 0) before = after;
            if (after < 0) after = before;
            var row = features.AsSpan(i * NearestWidth, NearestWidth);
            Copy(clip, before, row);
            Copy(clip, after, row[Bands..]);
            row[2 * Bands + Math.Min(Farthest, Math.Abs(frame - before))] = 1;
            row[2 * Bands + Farthest + 1 + Math.Min(Farthest, Math.Abs(after - frame))] = 1;
        }
        return features;
    }

    /// <summary>Each frame with its neighbours on both sides; the ends of a clip are repeated.</summary>
    public float[] Around((int Clip, int Frame)[] places, int neighbours)
    {
        var width = AroundWidth(neighbours);
        var features = new float[places.Length * width];
        for (var i = 0; i < places.Length; i++)
            for (var n = -neighbours; n <= neighbours; n++)
            {
                var (clip, frame) = places[i];
                Copy(clip, Math.Clamp(frame + n, 0, spectra[clip].Frames - 1),
                    features.AsSpan(i * width + (n + neighbours) * Bands));
            }
        return features;
    }

    /// <summary>Mean and deviation of every band over a clip.</summary>
    public float[] Pooled()
    {
        var features = new float[spectra.Length * PooledWidth];
        for (var c = 0; c < spectra.Length; c++)
            for (var b = 0; b < Bands; b++)
            {
                double sum = 0, squares = 0;
                for (var t = 0; t < spectra[c].Frames; t++)
                {
                    var value = spectra[c].Row(t)[b];
                    sum += value;
                    squares += value * value;
                }
                var mean = sum / spectra[c].Frames;
                features[c * PooledWidth + b] = (float)mean;
                features[c * PooledWidth + Bands + b] =
                    (float)Math.Sqrt(Math.Max(0, squares / spectra[c].Frames - mean * mean));
            }
        return features;
    }

    private void Copy(int clip, int frame, Span<float> to)
    {
        var row = spectra[clip].Row(frame);
        for (var b = 0; b < Bands; b++) to[b] = (float)row[b];
    }
}
