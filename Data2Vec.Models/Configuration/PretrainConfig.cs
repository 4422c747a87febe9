using System.ComponentModel;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Configuration;

#pragma warning disable CS1591 // the description of every key is its attribute, which `config print` shows
/// <summary>What every pre-training run can be told, whatever its modality; a modality adds its own keys.</summary>
public abstract record PretrainConfig
{
    [Description("Name of the preset these values started from.")]
    public string Preset { get; init; } = "tiny";

    [Description("Updates in all; 0 writes the untrained model."), Limits(0, 1e9)]
    public int Steps { get; init; }

    [Description("Seed of weights, data order, masks and dropout.")]
    public ulong Seed { get; init; } = 1;

    [Description("CPU threads; 0 = all cores. Does not change results."), Limits(0, 1024)]
    public int Threads { get; init; }

    [Description("Threads that read and mask batches ahead; 0 = none. Does not change results."), Limits(0, 256)]
    public int Workers { get; init; }

    [Description("Examples of one micro-batch."), Limits(1, 1e6)]
    public int BatchSize { get; init; }

    [Description("Micro-batches whose gradients are added for one update."), Limits(1, 65535)]
    public int MicroBatches { get; init; } = 1;

    [Description("Model width D."), Limits(1, 65536)]
    public int Hidden { get; init; }

    [Description("Transformer layers."), Limits(1, 1024)]
    public int Layers { get; init; }

    [Description("Attention heads; divides the width."), Limits(1, 1024)]
    public int Heads { get; init; }

    [Description("Width of the feed-forward block."), Limits(1, 1e6)]
    public int FeedForward { get; init; }

    [Description("Dropout of embeddings, attention and feed-forward outputs."), Limits(0, 0.99)]
    public double Dropout { get; init; }

    [Description("Dropout of attention probabilities."), Limits(0, 0.99)]
    public double AttentionDropout { get; init; }

    [Description("Teacher layers averaged, counted from the last."), Limits(1, 1024)]
    public int TopLayers { get; init; }

    [Description("Norm of each teacher layer: none, layer or instance.")]
    public TargetNorm TargetNorm { get; init; } = TargetNorm.Layer;

    [Description("LayerNorm after averaging the layers.")]
    public bool FinalTargetNorm { get; init; }

    [Description("Linear layers of the regression head."), Limits(1, 16)]
    public int HeadLayers { get; init; } = 1;

    [Description("Where the Smooth L1 loss turns linear; 0 = L2."), Limits(0, 1e6)]
    public double SmoothL1Beta { get; init; }

    [Description("Factor on the loss summed over channels; 0 = 1 / sqrt(D), -1 = 1 / D, the mean."), Limits(-1, 1e6)]
    public double LossScale { get; init; }

    [Description("Highest learning rate."), Limits(0, 100)]
    public double LearningRate { get; init; }

    [Description("tri_stage, cosine or polynomial.")]
    public ScheduleKind Schedule { get; init; }

    [Description("Updates of linear warm-up."), Limits(0, 1e9)]
    public int WarmupSteps { get; init; }

    [Description("Power of the polynomial decay."), Limits(0, 100)]
    public double PolynomialPower { get; init; } = 1;

    [Description("tri_stage: share of the updates at the highest rate."), Limits(0, 1)]
    public double HoldRatio { get; init; } = 0.8;

    [Description("Rate at the end, as a share of the highest; tri_stage takes 0 for 0.01."), Limits(0, 1)]
    public double FinalRate { get; init; }

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

    [Description("Decay biases, norms and other parameters of one dimension too.")]
    public bool DecayVectors { get; init; } = true;

    [Description("Gradients are scaled down to this global norm; 0 = never."), Limits(0, 1e9)]
    public double ClipNorm { get; init; } = 1;

    [Description("Teacher decay at the start."), Limits(0, 1)]
    public double EmaStart { get; init; } = 0.999;

    [Description("Teacher decay at the end of its ramp."), Limits(0, 1)]
    public double EmaEnd { get; init; } = 0.9999;

    [Description("Updates of the ramp; 0 = the length of the run."), Limits(0, 1e9)]
    public int EmaSteps { get; init; }

    [Description("Average the front end too, instead of sharing it with the student.")]
    public bool EmaEverything { get; init; }

    [Description("Save only each layer's input and compute it again in backward: less memory, a third more time.")]
    public bool Recompute { get; init; }

    [Description("float32, or bfloat16: activations and copies of weights in 16 bits, the rest in float32.")]
    public Precision Precision { get; init; }

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
#pragma warning restore CS1591

    /// <summary>"text", "vision" or "audio".</summary>
    public abstract string Modality { get; }

    /// <summary>Which tensor of a teacher layer becomes a target.</summary>
    protected virtual TargetTap Tap => TargetTap.FeedForward;

    /// <summary>Scalars of encoder and regression head, without allocating them.</summary>
    public abstract long CountParameters();

    /// <summary>Data, model and probes of a run with these settings.</summary>
    public abstract PretrainTask CreateTask();

    /// <summary>Refuses settings that do not fit together.</summary>
    /// <exception cref="ConfigException">One sentence naming the keys.</exception>
    public virtual void Check()
    {
        if (Hidden % Heads != 0)
            throw new ConfigException($"hidden must be a multiple of heads; got {Hidden} and {Heads}.");
        if (TopLayers > Layers)
            throw new ConfigException($"top_layers must not exceed layers; got {TopLayers} and {Layers}.");
        if (Steps > 0 && WarmupSteps >= Steps)
            throw new ConfigException($"warmup_steps must be fewer than steps; got {WarmupSteps} and {Steps}.");
        if (EmaStart > EmaEnd)
            throw new ConfigException($"ema_start must not exceed ema_end; got {EmaStart} and {EmaEnd}.");
        if (LossScale is > -1 and < 0)
            throw new ConfigException($"loss_scale must be positive, 0 or -1; got {LossScale}.");
        if (Layers < 2 && Probes) throw new ConfigException("probes need at least 2 layers; set probes=false.");
    }

    /// <summary>The objective.</summary>
    public ObjectiveConfig Objective() => new(
        new TargetRecipe(TopLayers, InstanceNorm: TargetNorm == TargetNorm.Instance,
            LayerNorm: TargetNorm == TargetNorm.Layer, FinalLayerNorm: FinalTargetNorm, Tap: Tap),
        SmoothL1Beta, LossScale < 0 ? 1.0 / Hidden : LossScale);

    /// <summary>The learning rate over the run.</summary>
    public ISchedule Rates() => Schedule switch
    {
        ScheduleKind.TriStage => new TriStageSchedule(LearningRate, WarmupSteps, (long)(Steps * HoldRatio),
            Math.Max(1, Steps - WarmupSteps - (long)(Steps * HoldRatio)), Final: FinalRate > 0 ? FinalRate : 0.01),
        ScheduleKind.Cosine => new CosineSchedule(
            LearningRate, WarmupSteps, Steps, Minimum: FinalRate * LearningRate, WarmupStart: 0),
        _ => new PolynomialSchedule(
            LearningRate, WarmupSteps, Steps, End: FinalRate * LearningRate, Power: PolynomialPower),
    };

    /// <summary>The teacher's decay over the run.</summary>
    public EmaSchedule Ema() => new(EmaStart, EmaEnd, EmaSteps > 0 ? EmaSteps : Math.Max(1, Steps));

    /// <summary>Adam's constants.</summary>
    public AdamOptions Adam() => new(AdamBeta1, AdamBeta2, AdamEpsilon,
        Optimizer == OptimizerKind.FairseqAdam ? AdamVariant.Fairseq : AdamVariant.AdamW);
}
