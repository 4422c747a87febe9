using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>Every place of a model that draws has a number of its own: the site of its random key.</summary>
internal static class DropoutSites
{
    public const uint Embedding = 1;
    public const uint Features = 12;

    private const uint FirstHead = 2;

    private const uint FirstLayer = 16;
    private const uint PlacesPerLayer = 8;

    /// <summary>Dropout of a head at one of its places; none in evaluation.</summary>
    public static DropoutSource OfHead(StepState? step, double probability, uint place) =>
        step?.Dropout(probability, FirstHead + place) ?? default;

    /// <summary>A place inside a layer.</summary>
    public static uint Layer(int layer, LayerSite place) => FirstLayer + PlacesPerLayer * (uint)layer + (uint)place;
}

/// <summary>The places of a layer that draw.</summary>
internal enum LayerSite : uint
{
    Probabilities,
    AttentionOutput,
    Activation,
    FeedForwardOutput,
    AttentionPath,
    FeedForwardPath,
    Layer,
}
