using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>How blocks grow around drawn centres.</summary>
/// <param name="Height">Rows of the grid; 1 for a sequence, whose blocks are one-dimensional.</param>
/// <param name="Width">Columns of the grid, or positions of the sequence.</param>
/// <param name="Probability">Share of positions that end up masked.</param>
/// <param name="Adjust">Added to the share when centres are counted, because blocks overlap.</param>
/// <param name="Length">Side of a block.</param>
/// <param name="Inverse">Blocks are what stays visible.</param>
public sealed record GrownBlockConfig(
    int Height, int Width, double Probability, double Adjust, int Length, bool Inverse = false)
{
    /// <summary>Refuses settings that no mask can follow.</summary>
    /// <exception cref="ArgumentException">A size or a share is out of range.</exception>
    public void Check()
    {
        if (Height < 1 || Width < 1 || Length < 1)
        {
            throw new ArgumentException(
                $"Grown blocks: grid {Height} x {Width}, blocks of {Length}; expected all at least 1.");
        }
        if (Probability is not (>= 0 and <= 1) || !double.IsFinite(Adjust))
        {
            throw new ArgumentException($"Grown blocks: probability {Probability}, adjustment {Adjust}; "
                + "expected a share in [0, 1] and a number.");
        }
    }
}

/// <summary>
/// Masks of data2vec 2.0: centres drawn with replacement grow to blocks that are cut off at the edges, then random
/// positions are added or removed so that every row has the same count. With q = the share of positions in blocks, a
/// grid of N positions has int(N (q + adjust) / L^d) centres and int(N q) block positions.
/// Source: fairseq 3d262bb, data_utils.py (compute_block_mask_1d and _2d).
/// </summary>
public static class GrownBlockMasker
{
    /// <summary>Masks a batch: first the centres of all rows are drawn, then the correction of each row.</summary>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="config">Grid, shares and block length.</param>
    /// <param name="draws">Where draws come from; consumed in a fixed order.</param>
    /// <returns>[rows, height, width] row by row; true = masked.</returns>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public static bool[] Mask(int rows, GrownBlockConfig config, IDraws draws)
    {
        config.Check();
        var size = config.Height * config.Width;
        var share = config.Inverse ? 1 - config.Probability : config.Probability;
        var area = config.Height == 1 ? config.Length : config.Length * config.Length;
        var centres = new int[rows, Math.Max(0, (int)(size * ((share + config.Adjust) / area)))];
        for (var b = 0; b < rows; b++)
            for (var i = 0; i < centres.GetLength(1); i++) centres[b, i] = draws.NextInt(size);

        var target = (int)(size * share);
        var mask = new bool[rows * size];
        for (var b = 0; b < rows; b++)
        {
            var row = mask.AsSpan(b * size, size);
            for (var i = 0; i < centres.GetLength(1); i++) Grow(row, centres[b, i], config);
            var inside = Rows.Where(row, true);
            if (inside.Length > target)
                AudioMasker.Set(row, draws.SampleWithoutReplacement(inside, inside.Length - target), false);
            else if (inside.Length < target)
            {
                var outside = Rows.Where(row, false);
                AudioMasker.Set(row, draws.SampleWithoutReplacement(outside, target - inside.Length), true);
            }
            if (!config.Inverse) continue;
            for (var i = 0; i < size; i++) row[i] = !row[i];
        }
        return mask;
    }

    /// <summary>An even length reaches one position further to the low side.</summary>
    private static void Grow(Span<bool> row, int centre, GrownBlockConfig config)
    {
        var (y, x) = Math.DivRem(centre, config.Width);
        var (before, after) = (config.Length / 2, config.Length - 1 - config.Length / 2);
        var (left, right) = (Math.Max(0, x - before), Math.Min(config.Width - 1, x + after));
        var (top, bottom) = (Math.Max(0, y - before), Math.Min(config.Height - 1, y + after));
        for (var line = top; line <= bottom; line++)
            row.Slice(line * config.Width + left, right - left + 1).Fill(true);
    }
}
