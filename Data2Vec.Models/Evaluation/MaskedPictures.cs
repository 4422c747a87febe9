using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Pictures, each with a block mask and one hidden patch that is asked about.</summary>
/// <param name="Pictures">Pictures of one size.</param>
/// <param name="Masks">For each, [patches] row by row; true = hidden.</param>
/// <param name="Patches">One hidden patch of each.</param>
/// <param name="PatchSide">Pixels of a patch's sides.</param>
internal sealed record MaskedPictures(
    IReadOnlyList<RgbImage> Pictures, IReadOnlyList<bool[]> Masks, IReadOnlyList<int> Patches, int PatchSide)
{
    /// <summary>Patches of a row.</summary>
    public int Across => Pictures[0].Width / PatchSide;

    /// <summary>Rows of patches.</summary>
    public int Down => Pictures[0].Height / PatchSide;

    /// <summary>The hidden patch's own hue and how much of it there is, see <see cref="PatchHue"/>.</summary>
    public PatchHue HueOf(int row) => PatchHue.Of(Pictures[row], Patches[row], PatchSide);

    /// <summary>
    /// The hue of the visible patch that is nearest to the hidden one (of several, the first from the top left); -1
    /// where nothing is visible or the patch is grey. Nothing is learnt for it.
    /// </summary>
    /// <param name="row">Number of the picture.</param>
    /// <param name="chroma">Patches of a weaker hue are passed over.</param>
    public int NearestHue(int row, double chroma = 0)
    {
        var (nearest, least) = (-1, int.MaxValue);
        for (var p = 0; p < Masks[row].Length; p++)
        {
            if (Masks[row][p]) continue;
            var (dx, dy) = (p % Across - Patches[row] % Across, p / Across - Patches[row] / Across);
            if (dx * dx + dy * dy >= least) continue;
            var hue = PatchHue.Of(Pictures[row], p, PatchSide);
            if (hue.Chroma >= chroma) (nearest, least) = (hue.Sixth, dx * dx + dy * dy);
        }
        return nearest;
    }
}
