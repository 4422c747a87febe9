using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// Masks of pre-training on speech, and of frames and channels in published fine-tuning: per row with s valid frames
/// n = max(minimum, int(p s / L + u)) spans of L frames, whose starts are drawn without replacement from [0, s - L) and
/// may overlap; then all rows get the same count. A span is shortened where n starts would not fit.
/// Source: fairseq 3d262bb, data_utils.py (static lengths).
/// </summary>
public static class AudioMasker
{
    /// <summary>Masks one batch.</summary>
    /// <param name="lengths">Valid frames of each row; the rest is padding.</param>
    /// <param name="frames">Frames of a row, padding included.</param>
    /// <param name="config">Share, span length and equalisation.</param>
    /// <param name="draws">Where draws come from; consumed in a fixed order.</param>
    /// <returns>[rows, frames] row by row; true = masked.</returns>
    /// <exception cref="ArgumentException">Settings or lengths are out of range.</exception>
    /// <exception cref="InvalidOperationException">
    /// All valid frames of a row would be masked: possible only where a row is hardly longer than a span.
    /// </exception>
    public static bool[] Mask(ReadOnlySpan<int> lengths, int frames, SpanMaskConfig config, IDraws draws)
    {
        config.Check();
        var rows = new int[lengths.Length][];
        for (var b = 0; b < rows.Length; b++)
        {
            if (lengths[b] < 1 || lengths[b] > frames)
            {
                throw new ArgumentException($"AudioMasker: row {b} has {lengths[b]} valid frames; expected 1 to "
                    + $"{frames}, the frames of the batch.");
            }
            rows[b] = Spans(b, lengths[b], config, draws);
        }
        int? target = rows.Length == 0 ? null : config.Equalise switch
        {
            SpanEqualisation.ToSmallest => rows.Min(r => r.Length),
            SpanEqualisation.ToLargest => rows.Max(r => r.Length),
            _ => null,
        };
        var mask = new bool[rows.Length * frames];
        for (var b = 0; b < rows.Length; b++)
        {
            var row = mask.AsSpan(b * frames, frames);
            var masked = rows[b].Length > target ? draws.SampleWithoutReplacement(rows[b], target.Value) : rows[b];
            Set(row, masked, true);
            if (masked.Length < target)
                Set(row, draws.SampleWithoutReplacement(Rows.Where(row, false), target.Value - masked.Length), true);
            if (config.Dropout > 0)
            {
                var all = Rows.Where(row, true);
                var holes = (int)Math.Round(all.Length * config.Dropout, MidpointRounding.ToEven);
                Set(row, draws.SampleWithoutReplacement(all, holes), false);
            }
        }
        return mask;
    }

    /// <summary>As the other overload, for rows without padding.</summary>
    public static bool[] Mask(int rows, int frames, SpanMaskConfig config, IDraws draws)
    {
        var lengths = new int[rows];
        Array.Fill(lengths, frames);
        return Mask(lengths, frames, config, draws);
    }

    /// <summary>The frames of one row's spans, ascending, none twice.</summary>
    private static int[] Spans(int row, int size, SpanMaskConfig config, IDraws draws)
    {
        var length = config.Length;
        var share = config.Probability * size / length;
        var count = Math.Max(config.MinimumSpans, (int)(share + draws.NextDouble()));
        var shortest = size - length <= count ? size - count - 1 : length;
        var range = config.StartAnywhere ? size : size - shortest;
        var masked = new bool[size];
        foreach (var start in draws.SampleWithoutReplacement(range, count))
            for (var i = start; i < Math.Min(size, start + length); i++) masked[i] = true;
        var positions = Rows.Where(masked, true);
        if (positions.Length < size) return positions;
        throw new InvalidOperationException($"AudioMasker: all {size} valid frames of row {row} would be masked by "
            + $"{count} spans of {length}; expected longer rows.");
    }

    internal static void Set(Span<bool> mask, ReadOnlySpan<int> positions, bool value)
    {
        foreach (var p in positions) mask[p] = value;
    }
}
