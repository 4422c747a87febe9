using Data2Vec.Engine;

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
/// <param name="InitialDeviation">Standard deviation of initial weights, N(0, deviation²).</param>
public sealed record TransformerConfig(
    int Layers, int Width, int Heads, int FeedForward, double LayerNormEps = 1e-5, double Dropout = 0,
    double AttentionDropout = 0, double ActivationDropout = 0, double InitialDeviation = 0.02)
{
    /// <summary>Norm before each block instead of after it (vision).</summary>
    public bool PreNorm { get; init; }

    /// <summary>Pre-norm: first value of the learned scale per channel on each block's output; 0 = no such scale.</summary>
    public double LayerScale { get; init; }

    /// <summary>Pre-norm: stochastic depth, probability of dropping a block of the last layer; rises linearly from 0.</summary>
    public double DropPath { get; init; }

    /// <summary>Probability of skipping a whole layer in training, one coin a layer and pass (speech).</summary>
    public double LayerDrop { get; init; }

    /// <summary>False: queries and values have a bias, keys have none (vision).</summary>
    public bool KeyBias { get; init; } = true;

    /// <summary>First values of the weight matrices; null = N(0, InitialDeviation²).</summary>
    public Initializer? Weights { get; init; }

    /// <summary>Divide the output weights of layer l = 1, 2, ... by sqrt(2 l) at the start (BEiT).</summary>
    public bool ScaleByDepth { get; init; }

    /// <summary>The initialiser of weight matrices.</summary>
    public Initializer InitialWeights => Weights ?? Initializers.Normal(InitialDeviation);

    /// <summary>Refuses sizes that do not fit together.</summary>
    /// <exception cref="ArgumentException">One sentence naming the sizes.</exception>
    public void Check()
    {
        if (Layers < 1 || Width < 1 || Heads < 1 || FeedForward < 1)
            throw new ArgumentException($"A transformer needs positive sizes; got {Layers} layers, width {Width}, "
                + $"{Heads} heads, feed-forward {FeedForward}.");
        if (Width % Heads != 0)
            throw new ArgumentException($"The width must be a multiple of the number of heads; got {Width} and {Heads}.");
        if (!PreNorm && (LayerScale != 0 || DropPath != 0))
            throw new ArgumentException("Layer scale and stochastic depth belong to pre-norm layers.");
    }
}
