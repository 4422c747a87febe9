using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>What the teacher does with the parts of an audio encoder.</summary>
/// <param name="Front">Feature encoder, projection and mask vector.</param>
/// <param name="Positions">Positional convolutions.</param>
/// <param name="Layers">Encoder norm and transformer layers.</param>
public readonly record struct AudioTeacher(TeacherRule Front, TeacherRule Positions, TeacherRule Layers)
{
    /// <summary>The released recipe: layers averaged, the rest shared.</summary>
    public static AudioTeacher Released => new(TeacherRule.Shared, TeacherRule.Shared, TeacherRule.Averaged);

    /// <summary>Regression head, which the teacher does not use.</summary>
    public TeacherRule Head { get; init; }

    /// <summary>One rule for all but the head.</summary>
    public static AudioTeacher All(TeacherRule rule) => new(rule, rule, rule);
}

/// <summary>
/// data2vec audio. Walk of a batch: waveform [B, S] -> feature encoder [B, T, C] -> LayerNorm -> Linear [B, T, D]
/// ("front") -> masked frames replaced by the mask vector -> padded frames zeroed -> + positional convolutions ->
/// LayerNorm -> dropout -> L post-norm layers with padded frames hidden from attention. Source: Baevski et al. 2020,
/// 2022; fairseq 3d262bb, data2vec_audio.py.
/// </summary>
public sealed class AudioEncoder
{
    private readonly FeatureEncoder features;
    private readonly LayerNormLayer featureNorm, encoderNorm;
    private readonly LinearLayer projection;
    private readonly int maskVector = -1;
    private readonly PositionEncoder positions;
    private readonly TransformerEncoder layers;

    /// <summary>Declares all parameters.</summary>
    public AudioEncoder(ParameterStore store, AudioEncoderConfig config, AudioTeacher? teacher = null)
    {
        config.Check();
        Config = config;
        var rules = teacher ?? AudioTeacher.Released;
        var t = config.Transformer;
        var channels = config.Features[^1].Channels;
        features = new FeatureEncoder(
            new ParameterScope(store, "features", rules.Front), config.Features, config.FeatureBias);
        var front = new ParameterScope(store, "projection", rules.Front);
        featureNorm = new LayerNormLayer(front.Sub("norm"), channels, t.LayerNormEps);
        projection = new LinearLayer(
            front, channels, t.Width, Initializers.TorchDefault, Initializers.InverseRoot(channels));
        if (config.MaskVector)
        {
            maskVector = new ParameterScope(store, "", rules.Front).Add(
                "mask_embedding", new Shape(t.Width), Initializers.UniformBetween(0, 1));
        }
        positions = new PositionEncoder(new ParameterScope(store, "positions", rules.Positions),
            t.Width, config.PositionLayers, config.PositionKernel, config.PositionGroups);
        encoderNorm = new LayerNormLayer(
            new ParameterScope(store, "encoder_norm", rules.Layers), t.Width, t.LayerNormEps);
        layers = new TransformerEncoder(new ParameterScope(store, "encoder", rules.Layers), t);
    }

    /// <summary>Sizes.</summary>
    public AudioEncoderConfig Config { get; }

    /// <summary>Waveform to hidden states; Hidden[0] is what the first layer reads.</summary>
    /// <param name="p">Parameters.</param>
    /// <param name="waveform">[B, S], in the store's type; samples behind a row's length are 0.</param>
    /// <param name="lengths">Samples of each row; null = all S.</param>
    /// <param name="masked">[B * T], true = the frame is replaced by the mask vector; null = none.</param>
    /// <param name="mode">Dropout, collection, recomputation.</param>
    /// <exception cref="ArgumentException">A row is too short for a frame.</exception>
    public EncoderOutput Forward(
        ParameterView p, Tensor waveform, int[]? lengths, bool[]? masked, ForwardMode mode)
    {
        var frames = FrameLengths(waveform, lengths);
        return Encode(p, Front(p, waveform), frames, masked, mode);
    }

    /// <summary>Waveform [B, S] to projected frames [B, T, D]: what teacher and student share.</summary>
    public Tensor Front(ParameterView p, Tensor waveform) => Project(p, Features(p, waveform));

    /// <summary>Waveform [B, S] to frames [B, T, C] of the feature encoder.</summary>
    public Tensor Features(ParameterView p, Tensor waveform) => features.Forward(p, waveform);

    /// <summary>Frames [B, T, C] under the norm before the projection.</summary>
    public Tensor NormalisedFeatures(ParameterView p, Tensor frames) => featureNorm.Forward(p, frames);

    /// <summary>Frames [B, T, C] to [B, T, D].</summary>
    public Tensor Project(ParameterView p, Tensor frames)
    {
        if (Config.FeatureGradientScale != 1) frames = Ops.ScaleGradient(frames, Config.FeatureGradientScale);
        return projection.Forward(p, NormalisedFeatures(p, frames));
    }

    /// <summary>Projected frames with masked ones replaced by the mask vector, then padded ones by zeros.</summary>
    public Tensor Masked(ParameterView p, Tensor projected, int[]? frames, bool[]? masked)
    {
        var shape = new Shape(projected.Shape[0], projected.Shape[1]);
        if (masked is not null && maskVector < 0)
            throw new ArgumentException("This audio model has no mask vector, so no frame can be masked.");
        if (masked is not null)
            projected = Ops.MaskRows(projected, Tensor.From<bool>(projected.Device, masked, shape), p[maskVector]);
        return frames is null ? projected
            : Ops.MaskRows(projected, Tensor.From<bool>(projected.Device, Padding(frames, shape[1]), shape));
    }

    /// <summary>The positional convolutions of masked frames [B, T, D].</summary>
    public Tensor Positions(ParameterView p, Tensor x) => positions.Forward(p, x);

    /// <summary>Projected frames to hidden states.</summary>
    /// <param name="p">Parameters.</param>
    /// <param name="projected">[B, T, D].</param>
    /// <param name="frames">Frames of each row that hold data; null = all T.</param>
    /// <param name="masked">[B * T], true = the frame is replaced by the mask vector; null = none.</param>
    /// <param name="mode">Dropout, collection, recomputation.</param>
    public EncoderOutput Encode(ParameterView p, Tensor projected, int[]? frames, bool[]? masked, ForwardMode mode)
    {
        var t = Config.Transformer;
        var step = mode.Step;
        projected = Ops.Dropout(projected, step?.Dropout(Config.FeatureDropout, DropoutSites.Features) ?? default);
        var x = Masked(p, projected, frames, masked);
        x = encoderNorm.Forward(p, positions.Forward(p, x), x);
        x = Ops.Dropout(x, step?.Dropout(t.Dropout, DropoutSites.Embedding) ?? default);
        var keyMask = frames is null ? null : Tensor.From<bool>(x.Device,
            Array.ConvertAll(Padding(frames, x.Shape[1]), pad => !pad), new Shape(x.Shape[0], x.Shape[1]));
        return layers.Forward(p, x, keyMask, mode);
    }

    /// <summary>Frames of each row, from its samples; null when no row is padded.</summary>
    /// <exception cref="ArgumentException">A row is too short for a frame.</exception>
    public int[]? FrameLengths(Tensor waveform, int[]? lengths)
    {
        var samples = waveform.Shape[1];
        var shortest = lengths is { Length: > 0 } ? lengths.Min() : samples;
        if (shortest < Config.FewestSamples)
            throw new ArgumentException(
                $"The audio model takes at least {Config.FewestSamples} samples a clip; got one of {shortest}.");
        return lengths is null || lengths.All(n => n == samples) ? null : Array.ConvertAll(lengths, Config.Frames);
    }

    /// <summary>[B * T], true = the frame lies behind the row's data.</summary>
    private static bool[] Padding(int[] frames, int time)
    {
        var padding = new bool[frames.Length * time];
        for (var b = 0; b < frames.Length; b++) padding.AsSpan(b * time + frames[b], time - frames[b]).Fill(true);
        return padding;
    }
}
