using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// x += path(scale1 * drop(attention(LN x))); f = feed_forward(LN x); x += path(scale2 * drop(f)); the tap is f, the
/// branch scale2 * f. Parameters attention_norm.*, attention.*, attention_scale [D], feed_forward_norm.*,
/// feed_forward.*, feed_forward_scale [D]. Source: Touvron et al. 2021 (layer scale); Huang et al. 2016 (stochastic
/// depth); BEiT.
/// </summary>
internal sealed class PreNormLayer : ITransformerLayer
{
    private readonly TransformerConfig config;
    private readonly SelfAttention attention;
    private readonly FeedForward feedForward;
    private readonly LayerNormLayer attentionNorm, feedForwardNorm;
    private readonly int attentionScale = -1, feedForwardScale = -1;
    private readonly double dropPath;

    public PreNormLayer(ParameterScope scope, TransformerConfig config, int index)
    {
        this.config = config;
        dropPath = DropPathOf(config, index);
        var outputWeights = config.ScaleByDepth
            ? Initializers.Scaled(config.InitialWeights, 1 / Math.Sqrt(2 * (index + 1)))
            : config.InitialWeights;
        attentionNorm = new LayerNormLayer(scope.Sub("attention_norm"), config.Width, config.LayerNormEps);
        attention = new SelfAttention(scope.Sub("attention"), config, outputWeights);
        feedForwardNorm = new LayerNormLayer(scope.Sub("feed_forward_norm"), config.Width, config.LayerNormEps);
        feedForward = new FeedForward(scope.Sub("feed_forward"), config, outputWeights);
        if (config.LayerScale <= 0) return;
        var channels = new Shape(config.Width);
        attentionScale = scope.Add("attention_scale", channels, Initializers.Constant(config.LayerScale));
        feedForwardScale = scope.Add("feed_forward_scale", channels, Initializers.Constant(config.LayerScale));
    }

    public LayerOutput Forward(ParameterView p, Tensor x, LayerContext context)
    {
        var a = attention.Forward(p, attentionNorm.Forward(p, x), context);
        a = Scaled(p, Ops.Dropout(a, context.Drop(config.Dropout, LayerSite.AttentionOutput)), attentionScale);
        x = Ops.Add(x, Ops.DropPath(a, context.DropPath(dropPath, block: 0)));
        var tap = feedForward.Forward(p, feedForwardNorm.Forward(p, x), context);
        var f = Ops.Dropout(tap, context.Drop(config.Dropout, LayerSite.FeedForwardOutput));
        var branch = Ops.DropPath(Scaled(p, f, feedForwardScale), context.DropPath(dropPath, block: 1));
        return new LayerOutput(Ops.Add(x, branch), tap, branch);
    }

    /// <summary>From 0 in the first layer to the rate in the last; single-precision numbers, as published.</summary>
    private static double DropPathOf(TransformerConfig config, int index)
    {
        if (config.Layers == 1) return 0;
        var rate = (float)config.DropPath;
        var step = rate / (config.Layers - 1);
        return index < config.Layers / 2 ? step * index : rate - step * (config.Layers - 1 - index);
    }

    private static Tensor Scaled(ParameterView p, Tensor x, int scale) => scale < 0 ? x : Ops.Mul(x, p[scale]);
}
