using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>Sizes and rates of a transformer encoder.</summary>
/// <param name="Layers">Number of layers L.</param>
/// <param name="Width">Model width D.</param>
/// <param name="Heads">Attention heads H; D is a multiple of it.</param>
/// <param name="FeedForward">Width of the feed-forward block.</param>
/// <param name="LayerNormEps">Added to the variance in every LayerNorm.</param>
/// <param name="Dropout">Dropout of attention and feed-forward outputs, and of the embeddings.</param>
/// <param name="AttentionDropout">Dropout of attention probabilities.</param>
/// <param name="ActivationDropout">Dropout after the activation of the feed-forward block.</param>
/// <param name="InitialDeviation">Standard deviation of initial weights.</param>
public sealed record TransformerConfig(
    int Layers, int Width, int Heads, int FeedForward, double LayerNormEps = 1e-5, double Dropout = 0,
    double AttentionDropout = 0, double ActivationDropout = 0, double InitialDeviation = 0.02)
{
    /// <summary>Refuses sizes that do not fit together.</summary>
    /// <exception cref="ArgumentException">One sentence naming the sizes.</exception>
    public void Check()
    {
        if (Layers < 1 || Width < 1 || Heads < 1 || FeedForward < 1)
            throw new ArgumentException($"A transformer needs positive sizes; got {Layers} layers, width {Width}, "
                + $"{Heads} heads, feed-forward {FeedForward}.");
        if (Width % Heads != 0)
            throw new ArgumentException($"The width must be a multiple of the number of heads; got {Width} and {Heads}.");
    }
}

/// <summary>What a forward pass through an encoder gives.</summary>
/// <param name="Last">[B, T, D]: output of the last layer.</param>
/// <param name="Hidden">Encoder input and the output of every layer, when asked for.</param>
/// <param name="Taps">Feed-forward output of every layer before dropout and residual, when asked for.</param>
public sealed record EncoderOutput(Tensor Last, IReadOnlyList<Tensor> Hidden, IReadOnlyList<Tensor> Taps);

/// <summary>How one forward pass is done.</summary>
/// <param name="Step">Key of the dropout bits; null = evaluation, nothing is dropped.</param>
/// <param name="Collect">Keep hidden states and taps of every layer.</param>
/// <param name="Recompute">Save only each layer's input for backward.</param>
/// <param name="Probabilities">Receives the attention probabilities of each layer, one [B, H, T, T] tensor a layer.</param>
public readonly record struct ForwardMode(
    StepState? Step = null, bool Collect = false, bool Recompute = false, Tensor[]? Probabilities = null);

/// <summary>
/// A stack of post-norm transformer layers: x = LN(x + drop(attention(x))); f = W2 gelu(W1 x); x = LN(x + drop(f)).
/// Source: Vaswani et al. 2017; fairseq 3d262bb, modules/transformer_layer.py.
/// </summary>
public sealed class TransformerEncoder
{
    private readonly TransformerLayer[] layers;

    /// <summary>Declares the parameters of all layers under "layer.0", "layer.1", ...</summary>
    public TransformerEncoder(ParameterScope scope, TransformerConfig config)
    {
        config.Check();
        Config = config;
        layers = new TransformerLayer[config.Layers];
        for (var i = 0; i < layers.Length; i++) layers[i] = new TransformerLayer(scope.Sub($"layer.{i}"), config, i);
    }

    /// <summary>Sizes and rates.</summary>
    public TransformerConfig Config { get; }

    /// <summary>[B, T, D] to [B, T, D].</summary>
    /// <param name="p">Parameters.</param>
    /// <param name="x">[B, T, D].</param>
    /// <param name="keyMask">Bool [B, T], true = a real position; null = all are.</param>
    /// <param name="mode">Dropout, collection, recomputation.</param>
    public EncoderOutput Forward(ParameterView p, Tensor x, Tensor? keyMask, ForwardMode mode)
    {
        var hidden = new List<Tensor>();
        var taps = new List<Tensor>();
        if (mode.Collect) hidden.Add(x);
        for (var i = 0; i < layers.Length; i++)
        {
            var layer = layers[i];
            if (mode.Recompute && !mode.Collect)
            {
                x = Recompute.Run(p, x, (view, input) => layer.Forward(view, input, keyMask, mode.Step).Output);
                continue;
            }
            (x, var tap) = layer.Forward(p, x, keyMask, mode.Step, mode.Probabilities?[i]);
            if (!mode.Collect) continue;
            hidden.Add(x);
            taps.Add(tap);
        }
        return new EncoderOutput(x, hidden, taps);
    }
}

/// <summary>One post-norm layer.</summary>
internal sealed class TransformerLayer
{
    private readonly TransformerConfig config;
    private readonly int index;
    private readonly LinearLayer qkv, output, intermediate, contraction;
    private readonly LayerNormLayer attentionNorm, outputNorm;

    public TransformerLayer(ParameterScope scope, TransformerConfig config, int index)
    {
        this.config = config;
        this.index = index;
        var init = Initializers.Normal(config.InitialDeviation);
        qkv = new LinearLayer(scope.Sub("attention.qkv"), config.Width, 3 * config.Width, init);
        output = new LinearLayer(scope.Sub("attention.output"), config.Width, config.Width, init);
        attentionNorm = new LayerNormLayer(scope.Sub("attention.norm"), config.Width, config.LayerNormEps);
        intermediate = new LinearLayer(scope.Sub("feed_forward.in"), config.Width, config.FeedForward, init);
        contraction = new LinearLayer(scope.Sub("feed_forward.out"), config.FeedForward, config.Width, init);
        outputNorm = new LayerNormLayer(scope.Sub("feed_forward.norm"), config.Width, config.LayerNormEps);
    }

    public (Tensor Output, Tensor Tap) Forward(
        ParameterView p, Tensor x, Tensor? keyMask, StepState? step, Tensor? probabilities = null)
    {
        var options = new AttentionOptions(KeyMask: keyMask, Dropout: Drop(step, config.AttentionDropout, 0));
        var a = Ops.AttentionPacked(qkv.Forward(p, x), config.Heads, options, probabilities);
        x = attentionNorm.Forward(p, output.Forward(p, a), x, Drop(step, config.Dropout, 1));
        var f = intermediate.Forward(p, x, Activation.Gelu);
        f = Ops.Dropout(f, Drop(step, config.ActivationDropout, 2));
        var tap = contraction.Forward(p, f);
        return (outputNorm.Forward(p, tap, x, Drop(step, config.Dropout, 3)), tap);
    }

    private DropoutSource Drop(StepState? step, double probability, uint place) =>
        step?.Dropout(probability, DropoutSites.Layer(index, place)) ?? default;
}

/// <summary>Every place of a model that drops has a number of its own: the site of its random key.</summary>
internal static class DropoutSites
{
    public const uint Embedding = 1;

    public static uint Layer(int layer, uint place) => 16 + 4 * (uint)layer + place;

    /// <summary>Dropout of a head at one of its places; none in evaluation.</summary>
    public static DropoutSource OfHead(StepState? step, double probability, uint place) =>
        step?.Dropout(probability, 2 + place) ?? default;
}
