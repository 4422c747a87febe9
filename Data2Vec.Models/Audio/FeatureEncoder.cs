using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// Waveform [B, S] -> frames [B, T, C]: each layer convolution without padding -> LayerNorm over channels (affine, eps 1e-5)
/// -> GELU. Source: Baevski et al. 2020 (wav2vec 2.0), the LayerNorm variant.
/// </summary>
public sealed class FeatureEncoder
{
    private const double Eps = 1e-5;

    private readonly Conv1dLayer[] convolutions;
    private readonly LayerNormLayer[] norms;

    /// <summary>Declares conv.i.weight, conv.i.bias if any, and conv.i.norm.* of every layer.</summary>
    public FeatureEncoder(ParameterScope scope, IReadOnlyList<ConvolutionSize> sizes, bool bias)
    {
        convolutions = new Conv1dLayer[sizes.Count];
        norms = new LayerNormLayer[sizes.Count];
        var inputs = 1;
        for (var i = 0; i < sizes.Count; i++)
        {
            var own = scope.Sub($"conv.{i}");
            var size = sizes[i];
            convolutions[i] = new Conv1dLayer(own, inputs, size.Channels, size.Kernel, size.Stride, padding: 0, groups: 1,
                bias, Initializers.KaimingNormal, Initializers.InverseRoot((long)inputs * size.Kernel));
            norms[i] = new LayerNormLayer(own.Sub("norm"), size.Channels, Eps);
            inputs = size.Channels;
        }
    }

    /// <summary>[B, S] to [B, T, C].</summary>
    public Tensor Forward(ParameterView p, Tensor waveform)
    {
        var x = waveform.Reshape(waveform.Shape[0], waveform.Shape[1], 1);
        for (var i = 0; i < convolutions.Length; i++)
            x = norms[i].Forward(p, convolutions[i], x, Activation.Gelu);
        return x;
    }
}
