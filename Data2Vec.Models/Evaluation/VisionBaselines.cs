using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>What can be said about a picture without an encoder.</summary>
internal static class VisionBaselines
{
    private const int Reach = 2;

    // Larger patches are shrunk to this side, else a regression would have as many columns as the picture levels.
    private const int LargestPatch = 4;

    /// <summary>All pixels of whole pictures, shrunk so that a patch has at most 4 x 4 of them.</summary>
    public static ProbeFeatures Pixels(HiddenPatchSet training, HiddenPatchSet test)
    {
        static float[] All(HiddenPatchSet set) =>
            [.. set.Pictures.SelectMany(p => Shrunk(p.Image, set.PatchSide).Pixels).Select(Centred)];
        var columns = Shrunk(training.Pictures[0].Image, training.PatchSide).Pixels.Length;
        return new(All(training), All(test), columns);
    }

    /// <summary>
    /// The pixels of the 5 x 5 patches around the hidden one (shrunk likewise), zero where hidden too or beyond the
    /// picture; for each patch whether it is seen; and which patch is hidden.
    /// </summary>
    public static ProbeFeatures Neighbourhood(HiddenPatchSet training, HiddenPatchSet test)
    {
        var (features, columns) = Neighbourhood(training);
        return new(features, Neighbourhood(test).Features, columns);
    }

    private static (float[] Features, int Columns) Neighbourhood(HiddenPatchSet set)
    {
        var side = Math.Min(set.PatchSide, LargestPatch);
        var across = set.Pictures[0].Image.Width / set.PatchSide;
        var down = set.Pictures[0].Image.Height / set.PatchSide;
        var perPatch = side * side * 3 + 1;
        var around = 2 * Reach + 1;
        var columns = around * around * perPatch + across * down;
        var features = new float[set.Pictures.Count * columns];
        for (var i = 0; i < set.Pictures.Count; i++)
        {
            var row = features.AsSpan(i * columns, columns);
            var (x, y) = (set.Patches[i] % across, set.Patches[i] / across);
            var image = Shrunk(set.Pictures[i].Image, set.PatchSide);
            row[around * around * perPatch + set.Patches[i]] = 1;
            for (var n = 0; n < around * around; n++)
            {
                var (u, v) = (x + n % around - Reach, y + n / around - Reach);
                if (u < 0 || u >= across || v < 0 || v >= down || set.Masks[i][v * across + u]) continue;
                var to = row.Slice(n * perPatch, perPatch);
                for (var line = 0; line < side; line++)
                {
                    var from = image.Row(v * side + line).Slice(u * side * 3, side * 3);
                    for (var b = 0; b < from.Length; b++) to[line * side * 3 + b] = Centred(from[b]);
                }
                to[^1] = 1;
            }
        }
        return (features, columns);
    }

    /// <summary>
    /// The hue of the visible patch that is nearest to the hidden one (of several, the first from the top left); -1
    /// where nothing is visible or the patch is grey. Nothing is learnt for it.
    /// </summary>
    public static int NearestHue(HiddenPatchSet set, int row)
    {
        var across = set.Pictures[row].Image.Width / set.PatchSide;
        var (nearest, least) = (-1, int.MaxValue);
        for (var p = 0; p < set.Masks[row].Length; p++)
        {
            if (set.Masks[row][p]) continue;
            var (dx, dy) = (p % across - set.Patches[row] % across, p / across - set.Patches[row] / across);
            if (dx * dx + dy * dy < least) (nearest, least) = (p, dx * dx + dy * dy);
        }
        return nearest < 0 ? -1 : HueOf(set.Pictures[row].Image, nearest, set.PatchSide);
    }

    /// <summary>Sixth of the circle in which the hue of a patch's mean colour lies; -1 for grey.</summary>
    private static int HueOf(RgbImage image, int patch, int side)
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
        if (high == low) return -1;
        double range = high - low;
        var sixth = high == red ? (green - blue) / range
            : high == green ? 2 + (blue - red) / range
            : 4 + (red - green) / range;
        return (int)(sixth < 0 ? sixth + 6 : sixth) % ShapePicture.Hues;
    }

    /// <summary>Means over squares, so that a hidden patch gives nothing to its neighbours.</summary>
    private static RgbImage Shrunk(RgbImage image, int patch) => patch <= LargestPatch
        ? image
        : ImageResize.Resize(
            image, image.Width / patch * LargestPatch, image.Height / patch * LargestPatch, ResizeFilter.Box);

    private static float Centred(byte level) => level / 255f - 0.5f;
}
