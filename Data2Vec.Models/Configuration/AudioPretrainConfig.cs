using System.ComponentModel;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Configuration;

#pragma warning disable CS1591 // the description of every key is its attribute, which `config print` shows
/// <summary>Everything an audio pre-training run can be told.</summary>
public sealed record AudioPretrainConfig : PretrainConfig
{
    /// <summary>The settings of preset tiny, found in trials: learns visibly within minutes on two cores.</summary>
    public AudioPretrainConfig()
    {
        Steps = 700;
        Workers = 1;
        BatchSize = 8;
        Hidden = 128;
        Layers = 4;
        Heads = 4;
        FeedForward = 512;
        TopLayers = 3;
        TargetNorm = TargetNorm.Instance;
        LearningRate = 1e-3;
        Schedule = ScheduleKind.TriStage;
        WarmupSteps = 40;
        HoldRatio = 0.52;
        FinalRate = 0.1;
        EmaStart = 0.998;
        EmaEnd = 0.999;
        EmaSteps = 525;
    }

    [Description("Channels of the feature encoder's convolutions (kernels and strides are the published ones)."), Limits(1, 65536)]
    public int FeatureChannels { get; init; } = 64;

    [Description("Depth of the convolutional positional encoder."), Limits(1, 64)]
    public int PositionLayers { get; init; } = 5;

    [Description("Kernel of the positional convolutions, in frames."), Limits(1, 1023)]
    public int PositionKernel { get; init; } = 7;

    [Description("Groups of the positional convolutions; divides the width."), Limits(1, 65536)]
    public int PositionGroups { get; init; } = 16;

    [Description("Share of frames selected for masking, before spans overlap."), Limits(0, 1)]
    public double MaskProbability { get; init; } = 0.6;

    [Description("Frames of one masked span."), Limits(1, 1000)]
    public int MaskLength { get; init; } = 5;

    [Description("Every row of a batch masks the same number of frames, as published.")]
    public bool SameMaskCount { get; init; } = true;

    [Description("Clips shorter than this are left out, in samples at 16 kHz."), Limits(400, 1e9)]
    public int MinSamples { get; init; } = 8000;

    [Description("Longer clips are cut to this at a random place, in samples at 16 kHz."), Limits(400, 1e9)]
    public int MaxSamples { get; init; } = 320_000;

    [Description("Dropout after the activation of the feed-forward block."), Limits(0, 0.99)]
    public double ActivationDropout { get; init; }

    [Description("Probability of skipping a layer in training."), Limits(0, 0.99)]
    public double LayerDrop { get; init; }

    [Description("Average the positional convolutions too, instead of sharing them with the student.")]
    public bool EmaPositions { get; init; }

    [Description("With --data, for a file that cannot be read: fail, skip, or quarantine (skip and list it).")]
    public BadSamplePolicy OnBadSample { get; init; } = BadSamplePolicy.Fail;
#pragma warning restore CS1591

    /// <summary>The presets by name: tiny and small for a CPU, base as published.</summary>
    public static IReadOnlyDictionary<string, AudioPretrainConfig> Presets { get; } =
        new Dictionary<string, AudioPretrainConfig>
        {
            ["tiny"] = new(),
            // Between the two, for a longer run on a CPU.
            ["small"] = new()
            {
                Preset = "small", Steps = 5000, Hidden = 256, Layers = 6, FeedForward = 1024, FeatureChannels = 128,
                TopLayers = 4, LearningRate = 5e-4, WarmupSteps = 300, EmaSteps = 3750, SaveEvery = 500,
            },
            // Released configuration: fairseq 3d262bb, examples/data2vec/config/audio/pretraining/base_librispeech.yaml;
            // its batches of 63 minutes are 16 micro-batches of about 16 clips here.
            ["base"] = new()
            {
                Preset = "base", Steps = 400_000, BatchSize = 16, MicroBatches = 16, Hidden = 768, Layers = 12, Heads = 12,
                FeedForward = 3072, FeatureChannels = 512, PositionKernel = 19, MaskProbability = 0.65, MaskLength = 10,
                TopLayers = 8, Dropout = 0.1, AttentionDropout = 0.1, LayerDrop = 0.05, LearningRate = 5e-4,
                WarmupSteps = 12_000, HoldRatio = 0.9, FinalRate = 0.01, Optimizer = OptimizerKind.FairseqAdam,
                ClipNorm = 0, EmaStart = 0.999, EmaEnd = 0.9999, EmaSteps = 30_000, MinSamples = 32_000,
                SaveEvery = 5000, LogEvery = 100, Recompute = true,
            },
        };

    /// <inheritdoc/>
    public override string Modality => "audio";

    /// <inheritdoc/>
    public override PretrainTask CreateTask() => new AudioPretrainTask(this);

    /// <inheritdoc/>
    public override void Check()
    {
        base.Check();
        if (Hidden % PositionGroups != 0)
            throw new ConfigException($"hidden must be a multiple of position_groups; got {Hidden} and {PositionGroups}.");
        if (MinSamples > MaxSamples)
            throw new ConfigException($"min_samples must not exceed max_samples; got {MinSamples} and {MaxSamples}.");
    }

    /// <inheritdoc/>
    public override long CountParameters()
    {
        using var device = new Device("reference", new ReferenceBackend());
        using var store = new ParameterStore(device);
        return CreateModel(store).Store.Count;
    }

    /// <summary>Encoder and head, declared in an empty store.</summary>
    public AudioPretrainModel CreateModel(ParameterStore store)
    {
        var positions = EmaEverything || EmaPositions ? TeacherRule.Averaged : TeacherRule.Shared;
        var front = EmaEverything ? TeacherRule.Averaged : TeacherRule.Shared;
        return new AudioPretrainModel(
            store, Encoder(), new AudioTeacher(front, positions, TeacherRule.Averaged), HeadLayers);
    }

    /// <summary>The encoder.</summary>
    public AudioEncoderConfig Encoder() => new(
        new TransformerConfig(Layers, Hidden, Heads, FeedForward, Dropout: Dropout, AttentionDropout: AttentionDropout,
            ActivationDropout: ActivationDropout) { LayerDrop = LayerDrop },
        AudioEncoderConfig.PublishedFeatures(FeatureChannels))
    {
        PositionLayers = PositionLayers, PositionKernel = PositionKernel, PositionGroups = PositionGroups,
    };

    /// <summary>The masking.</summary>
    public SpanMaskConfig Mask() => new(MaskProbability, MaskLength,
        Equalise: SameMaskCount ? SpanEqualisation.ToSmallest : SpanEqualisation.None);
}
