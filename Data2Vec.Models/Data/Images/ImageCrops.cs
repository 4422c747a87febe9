using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>A rectangle of whole pixels.</summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
public readonly record struct PixelBox(int Left, int Top, int Width, int Height);

/// <summary>
/// Where evaluation crops: the shorter side is resized, then the middle is taken. Geometry of torchvision.
/// </summary>
public static class CentreCrop
{
    /// <summary>Size whose shorter side is <paramref name="shorter"/>; the longer one is truncated.</summary>
    public static (int Width, int Height) Resized(int width, int height, int shorter)
    {
        if (width < 1 || height < 1 || shorter < 1)
            throw new ArgumentException(
                $"CentreCrop: sizes must be at least 1; got {width} x {height} for a shorter side of {shorter}.");
        var longer = Math.Max(1, (int)((long)shorter * Math.Max(width, height) / Math.Min(width, height)));
        return width <= height ? (shorter, longer) : (longer, shorter);
    }

    /// <summary>
    /// First pixel of the middle <paramref name="crop"/> of a side: half of the rest, rounded half to even; where the
    /// side is smaller, minus half of what is missing, rounded down.
    /// </summary>
    public static int Corner(int side, int crop) => crop > side
        ? -((crop - side) / 2)
        : (int)Math.Round((side - crop) / 2.0, MidpointRounding.ToEven);

    /// <summary>The middle of a picture; black where it is smaller.</summary>
    public static RgbImage Cut(RgbImage image, int width, int height) =>
        image.Crop(Corner(image.Width, width), Corner(image.Height, height), width, height);

    /// <summary>Resizes the shorter side and cuts out a square from the middle.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="shorter">Pixels of the shorter side after resizing.</param>
    /// <param name="crop">Pixels of the square's side.</param>
    /// <param name="filter">Filter of the resize.</param>
    public static RgbImage Resize(
        RgbImage image, int shorter, int crop, ResizeFilter filter = ResizeFilter.Bicubic)
    {
        var (width, height) = Resized(image.Width, image.Height, shorter);
        return Cut(ImageResize.Resize(image, width, height, filter), crop, crop);
    }
}

/// <summary>
/// A random part of a picture for training: area and side ratio (log-uniform) are drawn, up to ten times until the part
/// fits. Geometry of torchvision's RandomResizedCrop.
/// </summary>
/// <param name="SmallestArea">Least share of the picture's area.</param>
/// <param name="LargestArea">Greatest share.</param>
/// <param name="SmallestRatio">Least width / height.</param>
/// <param name="LargestRatio">Greatest width / height.</param>
public sealed record RandomResizedCrop(
    double SmallestArea = 0.08, double LargestArea = 1, double SmallestRatio = 3.0 / 4, double LargestRatio = 4.0 / 3)
{
    private const int Attempts = 10;

    /// <summary>Draws a part.</summary>
    /// <param name="width">Width of the picture.</param>
    /// <param name="height">Height of the picture.</param>
    /// <param name="random">Where the draws come from.</param>
    public PixelBox Draw(int width, int height, PhiloxStream random)
    {
        var (low, high) = (Math.Log(SmallestRatio), Math.Log(LargestRatio));
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var share = SmallestArea + random.NextDouble() * (LargestArea - SmallestArea);
            var logarithm = (float)(low + random.NextDouble() * (high - low));
            if (Size(width, height, share, logarithm) is not { } size) continue;
            var top = random.NextInt(height - size.Height + 1);
            return new(random.NextInt(width - size.Width + 1), top, size.Width, size.Height);
        }
        return Fallback(width, height);
    }

    /// <summary>The size that a drawn area and logarithm of the ratio give; null where it does not fit.</summary>
    /// <param name="width">Width of the picture.</param>
    /// <param name="height">Height of the picture.</param>
    /// <param name="share">Share of the picture's area.</param>
    /// <param name="logarithm">ln(width / height) of the part; its exponential is rounded to float32.</param>
    public static (int Width, int Height)? Size(int width, int height, double share, float logarithm)
    {
        var area = share * ((long)width * height);
        double ratio = MathF.Exp(logarithm);
        var across = Math.Round(Math.Sqrt(area * ratio), MidpointRounding.ToEven);
        var down = Math.Round(Math.Sqrt(area / ratio), MidpointRounding.ToEven);
        return across > 0 && across <= width && down > 0 && down <= height ? ((int)across, (int)down) : null;
    }

    /// <summary>
    /// The whole picture where its ratio is allowed, else the largest part of the nearest ratio, from its middle.
    /// </summary>
    public PixelBox Fallback(int width, int height)
    {
        var ratio = (double)width / height;
        var (across, down) = (width, height);
        if (ratio < SmallestRatio) down = (int)Math.Round(width / SmallestRatio, MidpointRounding.ToEven);
        else if (ratio > LargestRatio) across = (int)Math.Round(height * LargestRatio, MidpointRounding.ToEven);
        return new((width - across) / 2, (height - down) / 2, across, down);
    }
}
