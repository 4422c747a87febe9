using System.ComponentModel;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Configuration;

/// <summary>First values of a vision model's weight matrices.</summary>
public enum VisionWeights
{
    /// <summary>Xavier uniform.</summary>
    Xavier,
    /// <summary>Truncated normal of deviation .02 within ±.02, outputs of layer l divided by sqrt(2 l) (BEiT).</summary>
    Beit,
}

/// <summary>What shines through where a picture is transparent.</summary>
public enum PictureGround
{
    /// <summary>Nothing: alpha is dropped, and hidden colours come out, as in Pillow's convert("RGB").</summary>
    None,
    /// <summary>White.</summary>
    White,
    /// <summary>Black.</summary>
    Black,
}

#pragma warning disable CS1591 // the description of every key is its attribute, which `config print` shows
/// <summary>Everything a vision pre-training run can be told.</summary>
public sealed record VisionPretrainConfig : PretrainConfig
{
    /// <summary>The settings of preset tiny, found in trials: learns visibly within minutes on two cores.</summary>
    public VisionPretrainConfig()
    {
        Steps = 1400;
        Workers = 1;
        BatchSize = 32;
        Hidden = 96;
        Layers = 3;
        Heads = 4;
        FeedForward = 384;
        TopLayers = 3;
        FinalTargetNorm = true;
        SmoothL1Beta = 2;
        LossScale = -1;
        LearningRate = 2e-3;
        Schedule = ScheduleKind.Cosine;
        WarmupSteps = 112;
        FinalRate = 0.005;
        WeightDecay = 0.05;
        DecayVectors = false;
        AdamEpsilon = 1e-8;
        ClipNorm = 3;
        EmaStart = 0.99;
        EmaEnd = 0.999;
        LogEvery = 20;
    }

    [Description("Side of the pictures in pixels; a multiple of the patch size."), Limits(1, 65536)]
    public int ImageSize { get; init; } = 24;

    [Description("Side of a patch in pixels."), Limits(1, 4096)]
    public int PatchSize { get; init; } = 4;

    [Description("Without --data: textured or silhouettes, the kind of generated pictures.")]
    public PictureKind Pictures { get; init; } = PictureKind.Textured;

    [Description("Share of patches that are masked."), Limits(0, 1)]
    public double MaskRatio { get; init; } = 0.6;

    [Description("Patches of the smallest masked block."), Limits(1, 65536)]
    public int MinBlock { get; init; } = 4;

    [Description("First values of the weight matrices: xavier or beit.")]
    public VisionWeights Weights { get; init; } = VisionWeights.Xavier;

    [Description("First value of the learned scale on each block's output; 0 = no such scale."), Limits(0, 10)]
    public double LayerScale { get; init; }

    [Description("Stochastic depth: probability of dropping a block of the last layer."), Limits(0, 0.99)]
    public double DropPath { get; init; }

    [Description("Factor on the learning rate of the relative position bias."), Limits(0, 1000)]
    public double RelativeRateScale { get; init; } = 10;

    [Description("Add a learned vector per position.")]
    public bool AbsolutePositions { get; init; }

    [Description("With --data, behind transparent pictures: white, black, or none (colours under alpha come out).")]
    public PictureGround Ground { get; init; } = PictureGround.None;

    [Description("With --data: random resized crop, flip and colour jitter in training.")]
    public bool Augment { get; init; } = true;

    [Description("With --data, for a file that cannot be read: fail, skip, or quarantine (skip and list it).")]
    public BadSamplePolicy OnBadSample { get; init; } = BadSamplePolicy.Fail;
#pragma warning restore CS1591

    /// <summary>The presets by name: tiny and small for a CPU, base as published.</summary>
    public static IReadOnlyDictionary<string, VisionPretrainConfig> Presets { get; } =
        new Dictionary<string, VisionPretrainConfig>
        {
            ["tiny"] = new(),
            // Between the two, for a longer run on a CPU.
            ["small"] = new()
            {
                Preset = "small", Steps = 10_000, BatchSize = 64, Hidden = 192, Layers = 6, Heads = 6, FeedForward = 768,
                TopLayers = 4, ImageSize = 48, PatchSize = 6, WarmupSteps = 500, LearningRate = 1e-3, SaveEvery = 1000,
            },
            // The released commands (data2vec_vision af9a363, README), 2048 pictures an update.
            ["base"] = new()
            {
                Preset = "base", Steps = 500_000, BatchSize = 128, MicroBatches = 16, Hidden = 768, Layers = 12, Heads = 12,
                FeedForward = 3072, TopLayers = 6, ImageSize = 224, PatchSize = 16, MaskRatio = 120.0 / 196, MinBlock = 16,
                Weights = VisionWeights.Beit, LayerScale = 1e-4, DropPath = 0.25, AttentionDropout = 0.05,
                RelativeRateScale = 1, WarmupSteps = 6250, AdamBeta2 = 0.999, EmaStart = 0.9998, EmaEnd = 0.9998,
                SaveEvery = 5000, LogEvery = 100, Recompute = true,
            },
        };

    /// <inheritdoc/>
    public override string Modality => "vision";

    /// <inheritdoc/>
    protected override TargetTap Tap => TargetTap.Block;

    /// <summary>Patches from side to side.</summary>
    public int Grid => ImageSize / PatchSize;

    /// <inheritdoc/>
    public override PretrainTask CreateTask() => new VisionPretrainTask(this);

    /// <inheritdoc/>
    public override void Check()
    {
        base.Check();
        if (ImageSize % PatchSize != 0)
            throw new ConfigException($"image_size must be a multiple of patch_size; got {ImageSize} and {PatchSize}.");
        if (Grid < 2)
            throw new ConfigException($"a picture needs at least 2 x 2 patches; got {Grid} x {Grid}.");
        if (MinBlock > Grid * Grid * MaskRatio)
        {
            throw new ConfigException($"min_block must not exceed the masked patches ({Grid * Grid * MaskRatio:F0} of "
                + $"{Grid * Grid}); got {MinBlock}.");
        }
    }

    /// <inheritdoc/>
    public override long CountParameters()
    {
        using var device = new Device("reference", new ReferenceBackend());
        using var store = new ParameterStore(device);
        return CreateModel(store).Store.Count;
    }

    /// <summary>Encoder and head, declared in an empty store.</summary>
    public VisionPretrainModel CreateModel(ParameterStore store) => new(store, Encoder(), HeadLayers);

    /// <summary>The encoder.</summary>
    public VisionEncoderConfig Encoder()
    {
        var beit = Weights == VisionWeights.Beit;
        var transformer = new TransformerConfig(Layers, Hidden, Heads, FeedForward, LayerNormEps: 1e-6, Dropout: Dropout,
            AttentionDropout: AttentionDropout)
        {
            PreNorm = true, KeyBias = false, LayerScale = LayerScale, DropPath = DropPath, ScaleByDepth = beit,
            Weights = beit ? Initializers.TruncatedNormal(0.02, -0.02, 0.02) : Initializers.XavierUniform,
        };
        return new VisionEncoderConfig(transformer, ImageSize, ImageSize, PatchSize)
        {
            RelativeRateScale = RelativeRateScale, AbsolutePositions = AbsolutePositions,
            Tokens = beit ? transformer.Weights : Initializers.Normal(0.02),
        };
    }

    /// <summary>How picture files are read.</summary>
    public ImageReadOptions Reading() => new()
    {
        Ground = Ground switch
        {
            PictureGround.White => (255, 255, 255),
            PictureGround.Black => (0, 0, 0),
            _ => null,
        },
    };

    /// <summary>The masking.</summary>
    public BlockMaskConfig Mask() => new(Grid, Grid, (int)Math.Round(MaskRatio * Grid * Grid), MinBlock);
}
