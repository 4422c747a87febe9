using System.ComponentModel;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Configuration;

#pragma warning disable CS1591 // the description of every key is its attribute, which `config print` shows
/// <summary>Everything a text pre-training run can be told.</summary>
public sealed record TextPretrainConfig : PretrainConfig
{
    /// <summary>The settings of preset tiny, found in trials: learns visibly within minutes on two cores.</summary>
    public TextPretrainConfig()
    {
        Steps = 700;
        BatchSize = 64;
        Hidden = 192;
        Layers = 4;
        Heads = 4;
        FeedForward = 768;
        TopLayers = 3;
        HeadLayers = 2;
        SmoothL1Beta = 4;
        LossScale = 1;
        LearningRate = 1e-3;
        Schedule = ScheduleKind.Polynomial;
        PolynomialPower = 0.5;
        WarmupSteps = 100;
    }

    [Description("Longest document in tokens, <s> and </s> included."), Limits(3, 1e6)]
    public int MaxTokens { get; init; } = 32;

    [Description("Size of the byte-level BPE vocabulary trained on the corpus."), Limits(300, 1e6)]
    public int VocabularySize { get; init; } = 8000;

    [Description("span (released setting) or bert (80/10/10).")]
    public TextMaskStyle Masking { get; init; } = TextMaskStyle.Span;

    [Description("Share of tokens selected for masking, before spans overlap."), Limits(0, 1)]
    public double MaskProbability { get; init; } = 0.25;

    [Description("Tokens of one masked span."), Limits(1, 1000)]
    public int MaskLength { get; init; } = 1;
#pragma warning restore CS1591

    /// <summary>The presets by name: tiny and small for a CPU, base as published.</summary>
    public static IReadOnlyDictionary<string, TextPretrainConfig> Presets { get; } =
        new Dictionary<string, TextPretrainConfig>
        {
            ["tiny"] = new(),
            // Between the two, for a longer run on a CPU.
            ["small"] = new()
            {
                Preset = "small", Steps = 5000, Hidden = 384, Layers = 6, Heads = 6, FeedForward = 1536, TopLayers = 5,
                MaxTokens = 64, VocabularySize = 16000, LearningRate = 5e-4, WarmupSteps = 400, SaveEvery = 500,
            },
            // Released configuration: fairseq 3d262bb, examples/data2vec/config/text/pretraining/base.yaml.
            ["base"] = new()
            {
                Preset = "base", Steps = 1_000_000, BatchSize = 16, MicroBatches = 16, MaxTokens = 512,
                VocabularySize = 50265, Hidden = 768, Layers = 12, Heads = 12, FeedForward = 3072, Dropout = 0.1,
                AttentionDropout = 0.1, MaskProbability = 0.35, MaskLength = 4, TopLayers = 10,
                LearningRate = 2e-4, Schedule = ScheduleKind.Cosine, WarmupSteps = 10_000,
                Optimizer = OptimizerKind.FairseqAdam, ClipNorm = 5, EmaSteps = 300_000, SaveEvery = 5000, LogEvery = 100,
                Recompute = true,
            },
        };

    /// <inheritdoc/>
    public override string Modality => "text";

    /// <summary>The preset of a name.</summary>
    /// <exception cref="ConfigException">There is none; the sentence lists those there are.</exception>
    public static TextPretrainConfig OfPreset(string name) => Configuration.Presets.Of(Presets, name);

    /// <inheritdoc/>
    public override PretrainTask CreateTask() => new TextPretrainTask(this);

    /// <inheritdoc/>
    public override long CountParameters()
    {
        using var device = new Device("reference", new ReferenceBackend());
        using var model = CreateModel(device, VocabularySize);
        return model.Store.Count;
    }

    /// <summary>Encoder and head, declared in a fresh store that is not built yet.</summary>
    public TextPretrainModel CreateModel(Device device, int vocabulary, int padId = 1) =>
        new(new ParameterStore(device), Encoder(vocabulary, padId), HeadLayers, EmaEverything);

    /// <summary>The encoder for a vocabulary.</summary>
    public TextEncoderConfig Encoder(int vocabulary, int padId = 1) => new(
        new TransformerConfig(
            Layers, Hidden, Heads, FeedForward, Dropout: Dropout, AttentionDropout: AttentionDropout),
        vocabulary, MaxTokens + padId + 1, PaddingId: padId);

    /// <summary>The masking.</summary>
    public TextMaskConfig Mask() => new(Masking, MaskProbability, MaskLength);
}
