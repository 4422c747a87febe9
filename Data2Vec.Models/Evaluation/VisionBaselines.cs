using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>What can be said about a picture without an encoder.</summary>
internal static class VisionBaselines
{
    private const int Reach = 2;

    // Larger patches are shrunk to this side, else a regression would have as many columns as the picture levels.
    private const int LargestPatch = 4;

    /// <summary>All pixels of whole pictures, shrunk so that a patch has at most 4 x 4 of them.</summary>
    public static ProbeFeatures Pixels(IReadOnlyList<RgbImage> training, IReadOnlyList<RgbImage> test, int patch)
    {
        float[] All(IReadOnlyList<RgbImage> pictures) =>
            [.. pictures.SelectMany(p => Shrunk(p, patch).Pixels).Select(Centred)];
        return new(All(training), All(test), Shrunk(training[0], patch).Pixels.Length);
    }

    /// <summary>
    /// The pixels of the 5 x 5 patches around the hidden one (shrunk likewise), zero where hidden too or beyond the
    /// picture; for each patch whether it is seen; and which patch is hidden.
    /// </summary>
    public static ProbeFeatures Neighbourhood(MaskedPictures training, MaskedPictures test)
    {
        var (features, columns) = Neighbourhood(training);
        return new(features, Neighbourhood(test).Features, columns);
    }

    private static (float[] Features, int Columns) Neighbourhood(MaskedPictures set)
    {
        var side = Math.Min(set.PatchSide, LargestPatch);
        var (across, down) = (set.Across, set.Down);
        var perPatch = side * side * 3 + 1;
        var around = 2 * Reach + 1;
        var columns = around * around * perPatch + across * down;
        var features = new float[set.Pictures.Count * columns];
        for (var i = 0; i < set.Pictures.Count; i++)
        {
            var row = features.AsSpan(i * columns, columns);
            var (x, y) = (set.Patches[i] % across, set.Patches[i] / across);
            var image = Shrunk(set.Pictures[i], set.PatchSide);
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

    /// <summary>Means over squares, so that a hidden patch gives nothing to its neighbours.</summary>
    private static RgbImage Shrunk(RgbImage image, int patch) => patch <= LargestPatch
        ? image
        : ImageResize.Resize(
            image, image.Width / patch * LargestPatch, image.Height / patch * LargestPatch, ResizeFilter.Box);

    private static float Centred(byte level) => level / 255f - 0.5f;
}
