namespace Data2Vec.Models.Data;

/// <summary>
/// Changes of brightness, contrast, saturation and hue, level by level as torchvision's functions on Pillow pictures.
/// The first three mix the picture with another one, d: trunc(clamp(d + factor * (x - d))) in float32.
/// </summary>
public static class ImageColour
{
    private const float HueScale = 255;

    /// <summary>d = black: factor 0 is black, 1 the picture.</summary>
    public static RgbImage Brightness(RgbImage image, double factor)
    {
        var table = Table(0, (float)factor);
        return Map(image, table);
    }

    /// <summary>d = the mean luma of the picture, rounded: factor 0 is grey, 1 the picture.</summary>
    public static RgbImage Contrast(RgbImage image, double factor)
    {
        var sum = 0L;
        var pixels = image.Pixels;
        for (var i = 0; i < pixels.Length; i += 3) sum += Luma(pixels[i], pixels[i + 1], pixels[i + 2]);
        return Map(image, Table((int)((double)sum / (pixels.Length / 3) + 0.5), (float)factor));
    }

    /// <summary>d = the luma of each pixel: factor 0 is greyscale, 1 the picture.</summary>
    public static RgbImage Saturation(RgbImage image, double factor)
    {
        var result = new RgbImage(image.Width, image.Height);
        var (from, to, by) = (image.Pixels, result.Pixels, (float)factor);
        for (var i = 0; i < from.Length; i += 3)
        {
            var luma = Luma(from[i], from[i + 1], from[i + 2]);
            for (var c = i; c < i + 3; c++) to[c] = Mix(luma, from[c], by);
        }
        return result;
    }

    /// <summary>Turns the hue, in an 8-bit hue-saturation-value picture.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="turn">Part of the full circle, -0.5 to 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">The turn is beyond half a circle.</exception>
    public static RgbImage Hue(RgbImage image, double turn)
    {
        if (!(Math.Abs(turn) <= 0.5))
            throw new ArgumentOutOfRangeException(nameof(turn), turn, "ImageColour.Hue: expected -0.5 to 0.5.");
        var shift = (byte)(int)(turn * 255);
        var result = new RgbImage(image.Width, image.Height);
        var (from, to) = (image.Pixels, result.Pixels);
        for (var i = 0; i < from.Length; i += 3)
        {
            var (hue, saturation, value) = ToHsv(from[i], from[i + 1], from[i + 2]);
            (to[i], to[i + 1], to[i + 2]) = FromHsv((byte)(hue + shift), saturation, value);
        }
        return result;
    }

    /// <summary>(19595 R + 38470 G + 7471 B + 32768) >> 16: the luma of ITU-R BT.601.</summary>
    public static byte Luma(byte red, byte green, byte blue) =>
        (byte)((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);

    private static RgbImage Map(RgbImage image, byte[] table)
    {
        var result = new RgbImage(image.Width, image.Height);
        for (var i = 0; i < image.Pixels.Length; i++) result.Pixels[i] = table[image.Pixels[i]];
        return result;
    }

    private static byte[] Table(int other, float factor)
    {
        var table = new byte[256];
        for (var level = 0; level < 256; level++) table[level] = Mix(other, level, factor);
        return table;
    }

    private static byte Mix(int other, int level, float factor) =>
        (byte)Math.Clamp(other + factor * (level - other), 0f, 255f);

    /// <summary>Smith, "Color gamut transform pairs" (SIGGRAPH 1978), each part scaled to 255 and truncated.</summary>
    private static (byte Hue, byte Saturation, byte Value) ToHsv(byte red, byte green, byte blue)
    {
        var largest = Math.Max(red, Math.Max(green, blue));
        var smallest = Math.Min(red, Math.Min(green, blue));
        if (largest == smallest) return (0, 0, largest);
        float range = largest - smallest;
        float r = (largest - red) / range, g = (largest - green) / range, b = (largest - blue) / range;
        var sextant = red == largest ? b - g : green == largest ? (float)(2.0 + r - b) : (float)(4.0 + g - r);
        var hue = (float)((sextant / 6.0 + 1.0) % 1.0);
        return ((byte)(hue * 255.0), (byte)(range / largest * 255.0), largest);
    }

    private static (byte Red, byte Green, byte Blue) FromHsv(byte hue, byte saturation, byte value)
    {
        if (saturation == 0) return (value, value, value);
        var sextant = (int)Math.Floor(hue * 6.0 / HueScale);
        var part = (float)(hue * 6.0 / HueScale - sextant);
        var share = (float)(saturation / 255.0);
        var p = Round(value * (1.0 - share));
        var q = Round(value * (1.0 - share * part));
        var t = Round(value * (1.0 - share * (1.0 - part)));
        return (sextant % 6) switch
        {
            0 => (value, t, p),
            1 => (q, value, p),
            2 => (p, value, t),
            3 => (p, q, value),
            4 => (t, p, value),
            _ => (value, p, q),
        };
    }

    private static byte Round(double value) => (byte)Math.Round((float)value, MidpointRounding.AwayFromZero);
}
