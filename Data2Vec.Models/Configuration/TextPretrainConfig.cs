using System.ComponentModel;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Configuration;

/// <summary>Shape of the learning rate over a run.</summary>
public enum ScheduleKind
{
    /// <summary>Warm-up, hold, exponential decay.</summary>
    TriStage,
    /// <summary>Warm-up, half a cosine.</summary>
    Cosine,
    /// <summary>Warm-up, polynomial decay.</summary>
    Polynomial,
}

/// <summary>Which form of Adam trains.</summary>
public enum OptimizerKind
{
    /// <summary>Decoupled weight decay, PyTorch's formula.</summary>
    Adamw,
    /// <summary>fairseq's formula: eps is added to the uncorrected root.</summary>
    FairseqAdam,
}

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

/// <summary>What happens when loss or gradient is NaN or infinite.</summary>
public enum NonFinitePolicy
{
    /// <summary>The run stops, naming step, tensor and batch; the last checkpoint stays.</summary>
    Stop,
    /// <summary>The update is skipped and reported; the run goes on.</summary>
    Skip,
}

#pragma warning disable CS1591 // the description of every key is its attribute, which `config print` shows
/// <summary>Everything a text pre-training run can be told; the keys of `config print`.</summary>
public sealed record TextPretrainConfig
{
    [Description("Name of the preset these values started from.")]
    public string Preset { get; init; } = "tiny";

    [Description("Updates in all; 0 writes the untrained model."), Limits(0, 1e9)]
    public int Steps { get; init; } = 700;

    [Description("Seed of weights, data order, masks and dropout.")]
    public ulong Seed { get; init; } = 1;

    [Description("CPU threads; 0 = all cores. Does not change results."), Limits(0, 1024)]
    public int Threads { get; init; }

    [Description("Documents of one micro-batch."), Limits(1, 1e6)]
    public int BatchSize { get; init; } = 64;

    [Description("Micro-batches whose gradients are added for one update."), Limits(1, 65535)]
    public int MicroBatches { get; init; } = 1;

    [Description("Longest document in tokens, <s> and </s> included."), Limits(3, 1e6)]
    public int MaxTokens { get; init; } = 32;

    [Description("Size of the byte-level BPE vocabulary trained on the corpus."), Limits(300, 1e6)]
    public int VocabularySize { get; init; } = 8000;

    [Description("Model width D."), Limits(1, 65536)]
    public int Hidden { get; init; } = 192;

    [Description("Transformer layers."), Limits(1, 1024)]
    public int Layers { get; init; } = 4;

    [Description("Attention heads; divides the width."), Limits(1, 1024)]
    public int Heads { get; init; } = 4;

    [Description("Width of the feed-forward block."), Limits(1, 1e6)]
    public int FeedForward { get; init; } = 768;

    [Description("Dropout of embeddings, attention and feed-forward outputs."), Limits(0, 0.99)]
    public double Dropout { get; init; }

    [Description("Dropout of attention probabilities."), Limits(0, 0.99)]
    public double AttentionDropout { get; init; }

    [Description("span (released setting) or bert (80/10/10).")]
    public TextMaskStyle Masking { get; init; } = TextMaskStyle.Span;

    [Description("Share of tokens selected for masking, before spans overlap."), Limits(0, 1)]
    public double MaskProbability { get; init; } = 0.25;

    [Description("Tokens of one masked span."), Limits(1, 1000)]
    public int MaskLength { get; init; } = 1;

    [Description("Teacher layers averaged, counted from the last."), Limits(1, 1024)]
    public int TopLayers { get; init; } = 3;

    [Description("Norm of each teacher layer: none, layer or instance.")]
    public TargetNorm TargetNorm { get; init; } = TargetNorm.Layer;

    [Description("LayerNorm after averaging the layers.")]
    public bool FinalTargetNorm { get; init; }

    [Description("Linear layers of the regression head."), Limits(1, 16)]
    public int HeadLayers { get; init; } = 2;

    [Description("Where the Smooth L1 loss turns linear; 0 = L2."), Limits(0, 1e6)]
    public double SmoothL1Beta { get; init; } = 4;

    [Description("Factor on the loss; 0 = 1 / sqrt(D)."), Limits(0, 1e6)]
    public double LossScale { get; init; } = 1;

    [Description("Highest learning rate."), Limits(0, 100)]
    public double LearningRate { get; init; } = 1e-3;

    [Description("tri_stage, cosine or polynomial.")]
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Polynomial;

    [Description("Updates of linear warm-up."), Limits(0, 1e9)]
    public int WarmupSteps { get; init; } = 100;

    [Description("Power of the polynomial decay."), Limits(0, 100)]
    public double PolynomialPower { get; init; } = 0.5;

    [Description("tri_stage: share of the updates at the highest rate."), Limits(0, 1)]
    public double HoldRatio { get; init; } = 0.8;

    [Description("adamw or fairseq_adam.")]
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Adamw;

    [Description("Decay of Adam's first moment."), Limits(0, 1)]
    public double AdamBeta1 { get; init; } = 0.9;

    [Description("Decay of Adam's second moment."), Limits(0, 1)]
    public double AdamBeta2 { get; init; } = 0.98;

    [Description("Added to Adam's root."), Limits(0, 1)]
    public double AdamEpsilon { get; init; } = 1e-6;

    [Description("Decoupled weight decay."), Limits(0, 100)]
    public double WeightDecay { get; init; } = 0.01;

    [Description("Gradients are scaled down to this global norm; 0 = never."), Limits(0, 1e9)]
    public double ClipNorm { get; init; } = 1;

    [Description("Teacher decay at the start."), Limits(0, 1)]
    public double EmaStart { get; init; } = 0.999;

    [Description("Teacher decay at the end of its ramp."), Limits(0, 1)]
    public double EmaEnd { get; init; } = 0.9999;

    [Description("Updates of the ramp; 0 = the length of the run."), Limits(0, 1e9)]
    public int EmaSteps { get; init; }

    [Description("Average the embeddings too, instead of sharing them with the student.")]
    public bool EmaEverything { get; init; }

    [Description("Save only each layer's input and compute it again in backward: less memory, a third more time.")]
    public bool Recompute { get; init; }

    [Description("Updates between checkpoints; 0 = only at the end."), Limits(0, 1e9)]
    public int SaveEvery { get; init; } = 200;

    [Description("Checkpoints kept."), Limits(1, 1e6)]
    public int Keep { get; init; } = 2;

    [Description("Updates between log lines."), Limits(1, 1e9)]
    public int LogEvery { get; init; } = 10;

    [Description("stop or skip when loss or gradient is not finite.")]
    public NonFinitePolicy OnNonfinite { get; init; } = NonFinitePolicy.Stop;

    [Description("Warn when the targets' deviation falls below this after warm-up."), Limits(0, 100)]
    public double TargetStdFloor { get; init; } = 0.1;

    [Description("Warn when the predictions' deviation falls below this after warm-up."), Limits(0, 100)]
    public double PredictionStdFloor { get; init; } = 0.01;

    [Description("Warn when the position explains more of the targets than this."), Limits(0, 1)]
    public double PositionR2Ceiling { get; init; } = 0.6;

    [Description("Measure the linear probes before and after training.")]
    public bool Probes { get; init; } = true;

    /// <summary>The presets by name: tiny and small for a CPU, base as published.</summary>
    public static IReadOnlyDictionary<string, TextPretrainConfig> Presets { get; } =
        new Dictionary<string, TextPretrainConfig>
        {
            // Found in trials: learns visibly within minutes on two cores.
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

    /// <summary>The preset of a name.</summary>
    /// <exception cref="ConfigException">There is none; the sentence lists those there are.</exception>
    public static TextPretrainConfig OfPreset(string name) => Presets.TryGetValue(name, out var preset) ? preset
        : throw new ConfigException($"There is no preset '{name}'{Suggestion.For(name, Presets.Keys).TrimEnd('.')} "
            + $"(there are {string.Join(", ", Presets.Keys)})");

    /// <summary>Refuses settings that do not fit together.</summary>
    /// <exception cref="ConfigException">One sentence naming the keys.</exception>
    public void Check()
    {
        if (Hidden % Heads != 0)
            throw new ConfigException($"hidden must be a multiple of heads; got {Hidden} and {Heads}.");
        if (TopLayers > Layers)
            throw new ConfigException($"top_layers must not exceed layers; got {TopLayers} and {Layers}.");
        if (Steps > 0 && WarmupSteps >= Steps)
            throw new ConfigException($"warmup_steps must be fewer than steps; got {WarmupSteps} and {Steps}.");
        if (EmaStart > EmaEnd)
            throw new ConfigException($"ema_start must not exceed ema_end; got {EmaStart} and {EmaEnd}.");
        if (Layers < 2 && Probes) throw new ConfigException("probes need at least 2 layers; set probes=false.");
    }
#pragma warning restore CS1591

    /// <summary>The encoder for a vocabulary.</summary>
    public TextEncoderConfig Encoder(int vocabulary, int padId = 1) => new(
        new TransformerConfig(
            Layers, Hidden, Heads, FeedForward, Dropout: Dropout, AttentionDropout: AttentionDropout),
        vocabulary, MaxTokens + padId + 1, PaddingId: padId);

    /// <summary>The objective.</summary>
    public ObjectiveConfig Objective() => new(
        new TargetRecipe(TopLayers, InstanceNorm: TargetNorm == TargetNorm.Instance,
            LayerNorm: TargetNorm == TargetNorm.Layer, FinalLayerNorm: FinalTargetNorm),
        SmoothL1Beta, LossScale);

    /// <summary>The masking.</summary>
    public TextMaskConfig Mask() => new(Masking, MaskProbability, MaskLength);

    /// <summary>The learning rate over the run.</summary>
    public ISchedule Rates() => Schedule switch
    {
        ScheduleKind.TriStage => new TriStageSchedule(LearningRate, WarmupSteps, (long)(Steps * HoldRatio),
            Math.Max(1, Steps - WarmupSteps - (long)(Steps * HoldRatio))),
        ScheduleKind.Cosine => new CosineSchedule(LearningRate, WarmupSteps, Steps),
        _ => new PolynomialSchedule(LearningRate, WarmupSteps, Steps, Power: PolynomialPower),
    };

    /// <summary>The teacher's decay over the run.</summary>
    public EmaSchedule Ema() => new(EmaStart, EmaEnd, EmaSteps > 0 ? EmaSteps : Math.Max(1, Steps));

    /// <summary>Adam's constants.</summary>
    public AdamOptions Adam() => new(AdamBeta1, AdamBeta2, AdamEpsilon,
        Optimizer == OptimizerKind.FairseqAdam ? AdamVariant.Fairseq : AdamVariant.AdamW);
}
