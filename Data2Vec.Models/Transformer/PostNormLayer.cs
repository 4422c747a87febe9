using Data2Vec.Engine;

namespace Data2Vec.Models;

/// <summary>
/// x = LN(x + drop(attention(x))); f = feed_forward(x); x = LN(x + drop(f)); the tap is f. Source: Vaswani et al. 2017;
/// fairseq 3d262bb, modules/transformer_layer.py.
/// </summary>
internal sealed class PostNormLayer : ITransformerLayer
{
    private readonly TransformerConfig config;
    private readonly SelfAttention attention;
    private readonly FeedForward feedForward;
    private readonly LayerNormLayer attentionNorm, outputNorm;

    public PostNormLayer(ParameterScope scope, TransformerConfig config)
    {
        this.config = config;
        attention = new SelfAttention(scope.Sub("attention"), config, config.InitialWeights);
        attentionNorm = new LayerNormLayer(scope.Sub("attention.norm"), config.Width, config.LayerNormEps);
        feedForward = new FeedForward(scope.Sub("feed_forward"), config, config.InitialWeights);
        outputNorm = new LayerNormLayer(scope.Sub("feed_forward.norm"), config.Width, config.LayerNormEps);
    }

    public LayerOutput Forward(ParameterView p, Tensor x, LayerContext context)
    {
        x = attentionNorm.Forward(
            p, attention.Forward(p, x, context), x, context.Drop(config.Dropout, LayerSite.AttentionOutput));
        var f = feedForward.Forward(p, x, context);
        x = outputNorm.Forward(p, f, x, context.Drop(config.Dropout, LayerSite.FeedForwardOutput));
        return new LayerOutput(x, f, f);
    }
}
