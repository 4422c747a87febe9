using Data2Vec.Engine;

namespace Data2Vec.Models;

/// <summary>
/// One vector of an image [B, N + 1, D] -> [B, D]: the mean of the patches under a LayerNorm (parameters
/// pooler.norm.*), or the class token.
/// </summary>
internal sealed class ImagePooling
{
    private readonly LayerNormLayer? norm;

    public ImagePooling(ParameterStore store, VisionEncoderConfig config, bool meanOfPatches)
    {
        var t = config.Transformer;
        if (meanOfPatches) norm = new LayerNormLayer(new ParameterScope(store, "pooler.norm"), t.Width, t.LayerNormEps);
    }

    public Tensor Forward(ParameterView p, Tensor last) => norm is null
        ? Positions.First(last)
        : norm.Forward(p, Positions.Mean(Ops.Slice(last, 1, 1), null));
}
