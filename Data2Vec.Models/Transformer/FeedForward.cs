using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>W2 dropout(gelu(W1 x + b1)) + b2: [B, T, D] -> [B, T, F] -> [B, T, D]. Parameters in.* and out.*.</summary>
internal sealed class FeedForward
{
    private readonly TransformerConfig config;
    private readonly LinearLayer expansion, contraction;

    public FeedForward(ParameterScope scope, TransformerConfig config, Initializer outputWeights)
    {
        this.config = config;
        expansion = new LinearLayer(scope.Sub("in"), config.Width, config.FeedForward, config.InitialWeights);
        contraction = new LinearLayer(scope.Sub("out"), config.FeedForward, config.Width, outputWeights);
    }

    public Tensor Forward(ParameterView p, Tensor x, LayerContext context)
    {
        var dropout = context.Drop(config.ActivationDropout, LayerSite.Activation);
        if (!dropout.IsActive) return expansion.Forward(p, x, Activation.Gelu, contraction);
        return contraction.Forward(p, Ops.Dropout(expansion.Forward(p, x, Activation.Gelu), dropout));
    }
}
