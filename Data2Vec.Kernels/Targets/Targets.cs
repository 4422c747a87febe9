using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels;

/// <summary>The norm of each teacher layer before averaging.</summary>
public enum TargetNorm
{
    /// <summary>None.</summary>
    None,
    /// <summary>LayerNorm over channels.</summary>
    Layer,
    /// <summary>Instance norm over time.</summary>
    Instance,
}

/// <summary>The layers of a <see cref="TargetsArgs"/>, by value.</summary>
[InlineArray(TargetsArgs.MostLayers)]
public struct LayerViews
{
    private BufferView first;
}

/// <summary>
/// y = mean over the layers k of norm(x_k), x_k and y [Batch, Time, Channels]: what the student learns to predict. The norm has
/// no affine part: over channels at every position (Layer), over time for every channel of a sample (Instance), or none; with
/// FinalLayerNorm the mean is normalised over channels too. Biased variances, Eps added. The layers share a type; y is float32
/// (float64 when they are). Source: Baevski et al. 2022, section 3.3.
/// </summary>
public readonly struct TargetsArgs
{
    /// <summary>Layers at most.</summary>
    public const int MostLayers = 32;

    /// <summary>Layers; the first LayerCount count.</summary>
    public LayerViews Layers { get; init; }

    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>Number of layers.</summary>
    public int LayerCount { get; init; }

    /// <summary>Samples.</summary>
    public int Batch { get; init; }

    /// <summary>Positions of a sample, at least 1.</summary>
    public int Time { get; init; }

    /// <summary>Channels, at least 1.</summary>
    public int Channels { get; init; }

    /// <summary>Norm of every layer.</summary>
    public TargetNorm Norm { get; init; }

    /// <summary>Normalise the mean over channels.</summary>
    public bool FinalLayerNorm { get; init; }

    /// <summary>Added to the variances.</summary>
    public double Eps { get; init; }

    internal long Rows => (long)Batch * Time;

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.That("Targets", LayerCount is >= 1 and <= MostLayers,
            $"there must be 1 to {MostLayers} layers; got {LayerCount}.");
        Kernels.Check.That("Targets", Time >= 1 && Channels >= 1,
            $"samples must have at least 1 position and 1 channel; got {Time} and {Channels}.");
        var type = Kernels.Check.Float("Targets", Layers[0]);
        for (var i = 0; i < LayerCount; i++) Kernels.Check.Holds("Targets", Layers[i], Rows * Channels, type, $"layer {i}");
        Kernels.Check.Holds("Targets", Y, Rows * Channels, type == DType.Float64 ? type : DType.Float32);
    }
}
