using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// Multi-head self-attention: x [B, T, D] -> packed q, k, v [B, T, 3 D] -> heads -> output projection [B, T, D].
/// Parameters qkv.weight [3 D, D], qkv.bias [3 D] or, without a key bias, query_value_bias [2 D], output.weight, output.bias.
/// </summary>
internal sealed class SelfAttention
{
    private readonly TransformerConfig config;
    private readonly int weight, bias;
    private readonly LinearLayer output;

    public SelfAttention(ParameterScope scope, TransformerConfig config, Initializer outputWeights)
    {
        this.config = config;
        var width = config.Width;
        weight = scope.Add("qkv.weight", new Shape(3 * width, width), config.InitialWeights);
        bias = config.KeyBias
            ? scope.Add("qkv.bias", new Shape(3 * width), Initializers.Zeros)
            : scope.Add("query_value_bias", new Shape(2 * width), Initializers.Zeros);
        output = new LinearLayer(scope.Sub("output"), width, width, outputWeights);
    }

    public Tensor Forward(ParameterView p, Tensor x, LayerContext context)
    {
        var qkv = Ops.Linear(x, p[weight], PackedBias(p));
        var options = new AttentionOptions(KeyMask: context.KeyMask, Bias: context.Bias,
            Dropout: context.Drop(config.AttentionDropout, LayerSite.Probabilities));
        return output.Forward(p, Ops.AttentionPacked(qkv, config.Heads, options, context.Probabilities));
    }

    /// <summary>[3 D]: zeros for the keys when they have no bias.</summary>
    private Tensor PackedBias(ParameterView p)
    {
        if (config.KeyBias) return p[bias];
        var width = config.Width;
        var keys = Tensor.Zeros(p.Store.Device, new Shape(width), p[bias].DType);
        return Ops.Concat([Ops.Slice(p[bias], 0, 0, width), keys, Ops.Slice(p[bias], 0, width, 2 * width)], 0);
    }
}
