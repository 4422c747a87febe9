using Data2Vec.Models;

namespace Data2Vec.Tests.Masks;

/// <summary>
/// Exactly how many frames the spans of one row hide, before rows are made equal: from the probability that no start of
/// n, drawn without replacement, lies where it would hide a frame (or one of two frames).
/// </summary>
internal static class SpanCounts
{
    /// <summary>Mean and standard deviation of the number of hidden frames.</summary>
    /// <param name="frames">Frames of the row.</param>
    /// <param name="config">How frames are masked; every span must have room to start.</param>
    public static (double Mean, double Deviation) Of(int frames, SpanMaskConfig config)
    {
        var (starts, share) = (frames - config.Length, config.Probability * frames / config.Length);
        if (starts <= (int)share + 1) throw new ArgumentException("Spans of so short a row are shortened.");
        double mean = 0, squares = 0;
        // One span more than the whole part of the share with the probability of the rest.
        foreach (var (count, weight) in new[] { ((int)share, 1 - share % 1), ((int)share + 1, share % 1) })
        {
            var spans = Math.Max(config.MinimumSpans, count);
            double hidden = 0, pairs = 0;
            for (var t = 0; t < frames; t++)
            {
                var one = Missed(starts, Hiding(t, t), spans);
                hidden += 1 - one;
                for (var s = 0; s < frames; s++)
                    pairs += 1 - one - Missed(starts, Hiding(s, s), spans) + Missed(starts, Hiding(s, t), spans);
            }
            mean += weight * hidden;
            squares += weight * pairs;
        }
        return (mean, Math.Sqrt(squares - mean * mean));

        // Starts that would hide frame s or frame t.
        int Hiding(int s, int t) => Enumerable.Range(0, starts).Count(
            start => s >= start && s < start + config.Length || t >= start && t < start + config.Length);
    }

    /// <summary>Probability that n different ones of all starts are none of these.</summary>
    private static double Missed(int starts, int these, int n)
    {
        var product = 1.0;
        for (var i = 0; i < n; i++) product *= Math.Max(0, starts - these - i) / (double)(starts - i);
        return product;
    }
}
