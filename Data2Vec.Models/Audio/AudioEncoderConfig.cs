namespace Data2Vec.Models;

/// <summary>One convolution of the feature encoder.</summary>
/// <param name="Channels">Output channels.</param>
/// <param name="Kernel">Taps.</param>
/// <param name="Stride">Input samples or frames per output frame.</param>
public readonly record struct ConvolutionSize(int Channels, int Kernel, int Stride);

/// <summary>An audio encoder's sizes beyond those of its transformer.</summary>
/// <param name="Transformer">The layers.</param>
/// <param name="Features">Convolutions from samples to frames.</param>
public sealed record AudioEncoderConfig(TransformerConfig Transformer, IReadOnlyList<ConvolutionSize> Features)
{
    /// <summary>The convolutions of the feature encoder have a bias.</summary>
    public bool FeatureBias { get; init; }

    /// <summary>There is a mask vector, which replaces masked frames.</summary>
    public bool MaskVector { get; init; } = true;

    /// <summary>Depth of the convolutional positional encoder.</summary>
    public int PositionLayers { get; init; } = 5;

    /// <summary>Taps of each of its convolutions.</summary>
    public int PositionKernel { get; init; } = 19;

    /// <summary>Groups of each of its convolutions.</summary>
    public int PositionGroups { get; init; } = 16;

    /// <summary>Factor on the gradient that reaches the feature encoder.</summary>
    public double FeatureGradientScale { get; init; } = 1;

    /// <summary>Dropout of the projected features.</summary>
    public double FeatureDropout { get; init; }

    /// <summary>The published stack: 50 frames a second from 16 kHz.</summary>
    public static IReadOnlyList<ConvolutionSize> PublishedFeatures(int channels) =>
    [
        new(channels, 10, 5), new(channels, 3, 2), new(channels, 3, 2), new(channels, 3, 2), new(channels, 3, 2),
        new(channels, 2, 2), new(channels, 2, 2),
    ];

    /// <summary>Frames that come out of so many samples: floor((n - kernel) / stride) + 1, layer by layer; 0 when too few.</summary>
    public int Frames(int samples)
    {
        foreach (var layer in Features)
        {
            if (samples < layer.Kernel) return 0;
            samples = (samples - layer.Kernel) / layer.Stride + 1;
        }
        return samples;
    }

    /// <summary>The fewest samples that give a frame.</summary>
    public int FewestSamples => Features.Reverse().Aggregate(1, (n, layer) => (n - 1) * layer.Stride + layer.Kernel);

    /// <summary>Refuses sizes that do not fit together.</summary>
    /// <exception cref="ArgumentException">One sentence naming the sizes.</exception>
    public void Check()
    {
        Transformer.Check();
        if (Features.Count == 0 || Features.Any(f => f.Channels < 1 || f.Kernel < 1 || f.Stride < 1))
            throw new ArgumentException("An audio model needs convolutions of at least 1 channel, 1 tap and stride 1.");
        if (PositionLayers < 1 || PositionKernel < 1 || PositionGroups < 1 || Transformer.Width % PositionGroups != 0)
            throw new ArgumentException($"The positional convolutions need a depth, a kernel and groups that divide the width "
                + $"{Transformer.Width}; got {PositionLayers} layers, kernel {PositionKernel}, {PositionGroups} groups.");
    }
}
