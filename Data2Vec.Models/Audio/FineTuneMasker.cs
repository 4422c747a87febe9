using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// Masks of the published fine-tuning models, for frames and for channels: one u for the whole batch, at most as many
/// spans as fit without overlap, starts drawn without replacement from [0, s - L + 1), no equal counts. A row that is
/// too short for all spans repeats its first start; one that is too short for any marks the last frame of the padded
/// row. Source: transformers 5.23, modeling_data2vec_audio.py (_compute_mask_indices).
/// </summary>
public static class FineTuneMasker
{
    /// <summary>Masks one batch. Channels: give the width as frames and as every length.</summary>
    /// <param name="lengths">Valid frames of each row; the rest is padding.</param>
    /// <param name="frames">Frames of a row, padding included.</param>
    /// <param name="probability">Share of frames selected, counted before spans overlap.</param>
    /// <param name="length">Frames of a span.</param>
    /// <param name="minimumSpans">Spans of a row at least, where they fit.</param>
    /// <param name="draws">Where draws come from; consumed in a fixed order.</param>
    /// <returns>[rows, frames] row by row; true = masked.</returns>
    /// <exception cref="ArgumentException">
    /// Settings or lengths are out of range, or a span is longer than a row.
    /// </exception>
    public static bool[] Mask(
        ReadOnlySpan<int> lengths, int frames, double probability, int length, int minimumSpans, IDraws draws)
    {
        new SpanMaskConfig(probability, length, minimumSpans).Check();
        if (length > frames)
        {
            throw new ArgumentException(
                $"FineTuneMasker: a span has {length} frames and a row {frames}; expected spans that fit into a row.");
        }
        var epsilon = draws.NextDouble();
        var mask = new bool[lengths.Length * frames];
        var most = Count(frames);
        if (most == 0) return mask;
        for (var b = 0; b < lengths.Length; b++)
        {
            if (lengths[b] < 0 || lengths[b] > frames)
            {
                throw new ArgumentException($"FineTuneMasker: row {b} has {lengths[b]} valid frames; expected 0 to "
                    + $"{frames}, the frames of the batch.");
            }
            var starts = draws.SampleWithoutReplacement(Math.Max(0, lengths[b] - (length - 1)), Count(lengths[b]));
            var row = mask.AsSpan(b * frames, frames);
            if (starts.Length == 0) row[^1] = true;
            foreach (var start in starts) row.Slice(start, length).Fill(true);
        }
        return mask;

        int Count(int size)
        {
            var count = Math.Max((int)(probability * size / length + epsilon), minimumSpans);
            if (count * length > frames) count = frames / length;
            return Math.Min(count, Math.Max(size - (length - 1), 0));
        }
    }
}
