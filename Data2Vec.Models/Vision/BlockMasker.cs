using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>How patches are masked in blocks.</summary>
/// <param name="Height">Patches of a column.</param>
/// <param name="Width">Patches of a row.</param>
/// <param name="Target">Patches to mask; what is reached can be fewer, never more.</param>
/// <param name="MinimumPatches">Smallest area drawn for a block.</param>
/// <param name="MaximumPatches">Most patches that one block may add; null = the target.</param>
/// <param name="MinimumAspect">Smallest height by width.</param>
/// <param name="MaximumAspect">Largest height by width; null = the inverse of the smallest.</param>
public sealed record BlockMaskConfig(
    int Height = 14, int Width = 14, int Target = 120, int MinimumPatches = 16, int? MaximumPatches = null,
    double MinimumAspect = 0.3, double? MaximumAspect = null)
{
    /// <summary>Refuses settings that no mask can follow.</summary>
    /// <exception cref="ArgumentException">A size is out of range.</exception>
    public void Check()
    {
        if (Height < 1 || Width < 1)
            throw new ArgumentException($"Block masks: the grid is {Height} x {Width}; expected at least 1 x 1.");
        if (Target < 0 || Target > (long)Height * Width)
        {
            throw new ArgumentException(
                $"Block masks: the target is {Target}; expected 0 to {Height * Width} patches.");
        }
        if (MinimumPatches < 0 || MaximumPatches < 1)
        {
            throw new ArgumentException($"Block masks: blocks have {MinimumPatches} to {MaximumPatches} patches; "
                + "expected a minimum >= 0 and a maximum >= 1.");
        }
        if (!(MinimumAspect > 0) || MaximumAspect is not (null or > 0))
        {
            throw new ArgumentException($"Block masks: height by width is {MinimumAspect} to {MaximumAspect}; "
                + "expected positive numbers.");
        }
    }
}

/// <summary>
/// Block-wise masks of pre-training on images: until the target is reached, up to ten attempts propose a rectangle of
/// uniform area and log-uniform aspect at a uniform place; the first one that adds between 1 and the allowed number of
/// patches is taken. Ten refusals in a row end it, so the count can fall short. Sides are rounded half to even, and a
/// rectangle never spans the whole height or width. Source: data2vec_vision af9a363, masking_generator.py (after BEiT).
/// </summary>
public static class BlockMasker
{
    private const int Attempts = 10;

    /// <summary>Masks one image.</summary>
    /// <param name="config">Grid, target and shape of the blocks.</param>
    /// <param name="draws">Where draws come from; consumed in a fixed order.</param>
    /// <returns>[height, width] row by row; true = masked.</returns>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public static bool[] Mask(BlockMaskConfig config, IDraws draws)
    {
        config.Check();
        var mask = new bool[config.Height * config.Width];
        var count = 0;
        while (count < config.Target)
        {
            var limit = Math.Min(config.Target - count, config.MaximumPatches ?? config.Target);
            var added = Block(mask, limit, config, draws);
            if (added == 0) break;
            count += added;
        }
        return mask;
    }

    /// <summary>Masks a batch, image after image.</summary>
    /// <returns>[images, height, width] row by row; true = masked.</returns>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public static bool[] Mask(int images, BlockMaskConfig config, IDraws draws)
    {
        var size = config.Height * config.Width;
        var mask = new bool[images * size];
        for (var i = 0; i < images; i++) Mask(config, draws).CopyTo(mask, i * size);
        return mask;
    }

    /// <summary>Adds one block; how many patches it adds, 0 = no proposal was accepted.</summary>
    private static int Block(bool[] mask, int limit, BlockMaskConfig config, IDraws draws)
    {
        var (low, high) = (Math.Log(config.MinimumAspect), Math.Log(config.MaximumAspect ?? 1 / config.MinimumAspect));
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            // A limit below the minimum only reverses the bounds.
            var area = draws.NextDouble(config.MinimumPatches, limit);
            var aspect = Math.Exp(draws.NextDouble(low, high));
            var height = (int)Math.Round(Math.Sqrt(area * aspect), MidpointRounding.ToEven);
            var width = (int)Math.Round(Math.Sqrt(area / aspect), MidpointRounding.ToEven);
            if (width >= config.Width || height >= config.Height) continue;
            var top = draws.NextInt(config.Height - height + 1);
            var left = draws.NextInt(config.Width - width + 1);
            var free = 0;
            for (var y = top; y < top + height; y++)
                foreach (var masked in mask.AsSpan(y * config.Width + left, width)) free += masked ? 0 : 1;
            if (free == 0 || free > limit) continue;
            for (var y = top; y < top + height; y++) mask.AsSpan(y * config.Width + left, width).Fill(true);
            return free;
        }
        return 0;
    }
}
