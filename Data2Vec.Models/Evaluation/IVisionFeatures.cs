using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>The frozen features of a vision encoder, as linear probes read them. Drop path is off.</summary>
public interface IVisionFeatures
{
    /// <summary>Number of features.</summary>
    int Width { get; }

    /// <summary>The encoder's output at one patch of each picture, of which it sees the other patches only.</summary>
    /// <param name="pictures">Pictures of the encoder's size.</param>
    /// <param name="masks">For each, [patches] row by row; true = hidden from the encoder.</param>
    /// <param name="patches">One patch of each, by its number in the mask.</param>
    /// <returns>[pictures, Width], row-major.</returns>
    float[] AtPatches(
        IReadOnlyList<RgbImage> pictures, IReadOnlyList<bool[]> masks, IReadOnlyList<int> patches);

    /// <summary>Layer outputs averaged over all patches of a picture of which nothing is hidden.</summary>
    /// <param name="pictures">Pictures of the encoder's size.</param>
    /// <returns>[pictures, Width], row-major.</returns>
    float[] MeanPooled(IReadOnlyList<RgbImage> pictures);
}
