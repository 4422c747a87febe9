using Data2Vec.Engine;

namespace Data2Vec.Models;

/// <summary>Who has a relative position bias.</summary>
public enum RelativePositions
{
    /// <summary>Nobody.</summary>
    None,
    /// <summary>One table for all layers (pre-trained models).</summary>
    Shared,
    /// <summary>A table for each layer (fine-tuned models).</summary>
    PerLayer,
    /// <summary>The sum of both.</summary>
    Both,
}

/// <summary>A vision encoder's sizes beyond those of its transformer, which is pre-norm without key bias.</summary>
/// <param name="Transformer">The layers.</param>
/// <param name="ImageHeight">Native height in pixels.</param>
/// <param name="ImageWidth">Native width in pixels.</param>
/// <param name="PatchSize">Side of a patch in pixels.</param>
/// <param name="Channels">Channels of a pixel.</param>
public sealed record VisionEncoderConfig(
    TransformerConfig Transformer, int ImageHeight, int ImageWidth, int PatchSize, int Channels = 3)
{
    /// <summary>Who has a relative position bias.</summary>
    public RelativePositions Relative { get; init; } = RelativePositions.Shared;

    /// <summary>Factor on the learning rate of the bias tables.</summary>
    public double RelativeRateScale { get; init; } = 1;

    /// <summary>
    /// Images that are not square: bias tables are read with width and height swapped, and resized, as the published code
    /// does.
    /// </summary>
    public bool TableByWidth { get; init; }

    /// <summary>A learned vector per position is added to the patches; other sizes interpolate it bicubically.</summary>
    public bool AbsolutePositions { get; init; }

    /// <summary>There is a mask token, which replaces masked patches.</summary>
    public bool MaskToken { get; init; } = true;

    /// <summary>LayerNorm of the last layer's output; heads on mean-pooled patches have a norm of their own instead.</summary>
    public bool FinalNorm { get; init; } = true;

    /// <summary>First values of class and mask token; null = those of weight matrices.</summary>
    public Initializer? Tokens { get; init; }

    /// <summary>Patches from top to bottom of a native image.</summary>
    public int GridHeight => ImageHeight / PatchSize;

    /// <summary>Patches from left to right of a native image.</summary>
    public int GridWidth => ImageWidth / PatchSize;

    /// <summary>Refuses sizes that do not fit together.</summary>
    /// <exception cref="ArgumentException">One sentence naming the sizes.</exception>
    public void Check()
    {
        Transformer.Check();
        if (PatchSize < 1 || Channels < 1 || GridHeight < 1 || GridWidth < 1)
            throw new ArgumentException($"A vision model needs at least one patch; got images of {ImageHeight} x "
                + $"{ImageWidth} pixels with {Channels} channels, patches of {PatchSize} x {PatchSize}.");
        if (!Transformer.PreNorm || Transformer.KeyBias)
            throw new ArgumentException("A vision model has pre-norm layers without key bias.");
    }
}
