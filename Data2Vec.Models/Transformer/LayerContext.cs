using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>What one layer sees of the pass it is part of.</summary>
/// <param name="Layer">Number of the layer, from 0.</param>
/// <param name="KeyMask">Bool [B, T], true = a real position; null = all are.</param>
/// <param name="Bias">Added to the attention scores, [H, T, T]; or null.</param>
/// <param name="Mode">Dropout and explicit draws.</param>
internal readonly record struct LayerContext(int Layer, Tensor? KeyMask, Tensor? Bias, ForwardMode Mode)
{
    /// <summary>Receives the attention probabilities; or null.</summary>
    public Tensor? Probabilities => Mode.Probabilities?[Layer];

    /// <summary>Dropout at a place of the layer; none in evaluation.</summary>
    public DropoutSource Drop(double probability, LayerSite place) =>
        Mode.Step?.Dropout(probability, DropoutSites.Layer(Layer, place)) ?? default;

    /// <summary>Stochastic depth of a block: 0 attention, 1 feed-forward.</summary>
    public DropoutSource DropPath(double probability, int block)
    {
        if (Mode.KeepPaths is { } keep)
            return keep(Layer, block) is { } mask ? Ops.KeepMask(mask, probability) : default;
        return Drop(probability, block == 0 ? LayerSite.AttentionPath : LayerSite.FeedForwardPath);
    }
}

/// <summary>What a layer gives: its output, its feed-forward output, and what that block added to the residual.</summary>
internal readonly record struct LayerOutput(Tensor Output, Tensor Tap, Tensor Branch);

/// <summary>One layer of an encoder.</summary>
internal interface ITransformerLayer
{
    /// <summary>[B, T, D] to [B, T, D].</summary>
    LayerOutput Forward(ParameterView p, Tensor x, LayerContext context);
}
