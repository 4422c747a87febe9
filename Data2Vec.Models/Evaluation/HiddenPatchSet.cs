using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Generated pictures, each with a block mask and one hidden patch that is asked about.</summary>
internal sealed record HiddenPatchSet(
    IReadOnlyList<ShapePicture> Pictures, IReadOnlyList<bool[]> Masks, IReadOnlyList<int> Patches,
    IReadOnlyList<PatchPlace> Places, int PatchSide)
{
    private const uint Site = 0x5649_5350;

    /// <summary>
    /// Draws one mask and one of its patches for every picture: first one of the places that the mask hides, each
    /// equally likely, then a patch there. Pictures of which the mask hides nothing are left out.
    /// </summary>
    public static HiddenPatchSet Draw(
        IReadOnlyList<ShapePicture> pictures, int patchSide, BlockMaskConfig config, ulong seed)
    {
        var (kept, masks, patches, places) =
            (new List<ShapePicture>(), new List<bool[]>(), new List<int>(), new List<PatchPlace>());
        for (var i = 0; i < pictures.Count; i++)
        {
            var random = new PhiloxStream(new RandomKey(seed, (uint)i, 0, Site));
            var mask = BlockMasker.Mask(config, random);
            var hidden = Enumerable.Range(0, mask.Length).Where(p => mask[p])
                .ToLookup(p => pictures[i].PlaceOf(p, patchSide));
            if (hidden.Count == 0) continue;
            var place = hidden.Select(g => g.Key).Order().ElementAt(random.NextInt(hidden.Count));
            kept.Add(pictures[i]);
            masks.Add(mask);
            places.Add(place);
            patches.Add(hidden[place].ElementAt(random.NextInt(hidden[place].Count())));
        }
        return new(kept, masks, patches, places, patchSide);
    }

    /// <summary>What is seen of them, without the truth.</summary>
    public MaskedPictures View { get; } = new([.. Pictures.Select(p => p.Image)], Masks, Patches, PatchSide);

    /// <summary>The examples whose patch lies on one side of the outline: there one hue is right.</summary>
    public IEnumerable<int> RowsOffTheEdge() =>
        Enumerable.Range(0, Places.Count).Where(i => Places[i] != PatchPlace.Edge);

    /// <summary>Hue of what is hidden, for examples off the edge.</summary>
    public int[] Hues(IEnumerable<int> rows) => [.. rows.Select(i => Pictures[i].HueOf(Places[i]))];

    /// <summary>The encoder's view.</summary>
    public float[] Features(IVisionFeatures features) =>
        features.AtPatches(View.Pictures, Masks, Patches);
}
