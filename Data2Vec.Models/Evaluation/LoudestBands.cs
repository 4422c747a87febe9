using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>
/// Tells of every frame which of eight parts of the spectrum stands out, each measured against what it has on average:
/// a label that sound without labels has. It follows vowels and fricatives as the hue of a patch follows things.
/// </summary>
internal sealed class LoudestBands
{
    /// <summary>Parts of the spectrum, of equal width in mel.</summary>
    public const int Count = 8;

    private const int Width = AudioBaselines.Bands / Count;

    private readonly IReadOnlyList<FrameFeatures> bands;
    private readonly double[] medians;
    private readonly double[] usual;

    /// <param name="bands">Log-mel bands of clips.</param>
    /// <param name="reference">Clips that say what is usual; null = these themselves.</param>
    public LoudestBands(IReadOnlyList<FrameFeatures> bands, LoudestBands? reference = null)
    {
        this.bands = bands;
        medians = [.. bands.Select(b => Median([.. Enumerable.Range(0, b.Frames).Select(t => Level(b.Row(t)))]))];
        usual = reference?.usual ?? Usual();
    }

    /// <summary>True for the louder half of a clip's frames: the others are pauses, or may be.</summary>
    public bool IsLoud(int clip, int frame) => Level(bands[clip].Row(frame)) > medians[clip];

    /// <summary>The part that stands out, 0 = the lowest.</summary>
    public int Of(int clip, int frame)
    {
        var best = 0;
        var row = bands[clip].Row(frame);
        for (var part = 1; part < Count; part++)
            if (Excess(row, part) > Excess(row, best)) best = part;
        return best;
    }

    private double Excess(ReadOnlySpan<double> row, int part) => Level(row.Slice(part * Width, Width)) - usual[part];

    private double[] Usual()
    {
        var sums = new double[Count];
        var frames = 0;
        for (var clip = 0; clip < bands.Count; clip++)
            for (var t = 0; t < bands[clip].Frames; t++)
            {
                if (!IsLoud(clip, t)) continue;
                frames++;
                for (var part = 0; part < Count; part++)
                    sums[part] += Level(bands[clip].Row(t).Slice(part * Width, Width));
            }
        return [.. sums.Select(s => s / Math.Max(1, frames))];
    }

    private static double Level(ReadOnlySpan<double> row)
    {
        var sum = 0.0;
        foreach (var value in row) sum += value;
        return sum / row.Length;
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values.Length == 0 ? 0 : values[values.Length / 2];
    }
}
