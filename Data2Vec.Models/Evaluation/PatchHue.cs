using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>The hue of a patch's mean colour.</summary>
/// <param name="Sixth">Sixth of the circle in which it lies, as <see cref="ShapePicture.Hue"/>; -1 for grey.</param>
/// <param name="Chroma">Distance of the strongest from the weakest of red, green and blue, in levels of 255.</param>
internal readonly record struct PatchHue(int Sixth, double Chroma)
{
    /// <summary>Averages a patch.</summary>
    public static PatchHue Of(RgbImage image, int patch, int side)
    {
        var across = image.Width / side;
        Span<int> sums = stackalloc int[3];
        for (var line = 0; line < side; line++)
        {
            var from = image.Row(patch / across * side + line).Slice(patch % across * side * 3, side * 3);
            for (var b = 0; b < from.Length; b++) sums[b % 3] += from[b];
        }
        var (red, green, blue) = (sums[0], sums[1], sums[2]);
        var (high, low) = (Math.Max(red, Math.Max(green, blue)), Math.Min(red, Math.Min(green, blue)));
        if (high == low) return new(-1, 0);
        double range = high - low;
        var sixth = high == red ? (green - blue) / range
            : high == green ? 2 + (blue - red) / range
            : 4 + (red - green) / range;
        return new((int)(sixth < 0 ? sixth + 6 : sixth) % ShapePicture.Hues, range / (side * side));
    }
}
