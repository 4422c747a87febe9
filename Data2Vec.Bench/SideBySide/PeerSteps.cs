using System.Text.Json.Nodes;
using Data2Vec.Bench.Running;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Bench.SideBySide;

/// <summary>
/// A whole update of each modality: the base models on one micro-batch of the published size, nothing dropped, everything
/// kept for backward. Tiny: the presets of that name.
/// </summary>
internal sealed class PeerSteps(bool tiny)
{
    private readonly string preset = tiny ? "tiny" : "base";

    public IEnumerable<PeerCase> All() => [Text(), Vision(), Audio()];

    private PeerStep Text()
    {
        var (batch, time) = tiny ? (2, 16) : (16, 512);
        var config = TextPretrainConfig.Presets[preset] with { VocabularySize = tiny ? 300 : 50265 };
        StepCase Make(DType type) => StepCase.Text(Typed(config, type), batch, time);
        return Of(config, Make, batch, time, new JsonObject { ["vocabulary"] = config.VocabularySize });
    }

    private PeerStep Vision()
    {
        var batch = tiny ? 2 : 128;
        var config = VisionPretrainConfig.Presets[preset];
        StepCase Make(DType type) => StepCase.Vision(Typed(config, type), batch);
        return Of(config, Make, batch, config.Grid * config.Grid,
            new JsonObject { ["grid"] = config.Grid, ["patch"] = config.PatchSize });
    }

    private PeerStep Audio()
    {
        var (batch, samples) = tiny ? (2, 4000) : (12, 320_000);
        var config = AudioPretrainConfig.Presets[preset];
        var encoder = config.Encoder();
        StepCase Make(DType type) => StepCase.Audio(Typed(config, type), batch, samples);
        var features = encoder.Features.Select(f => (JsonNode)new JsonArray(f.Channels, f.Kernel, f.Stride));
        return Of(config, Make, batch, encoder.Frames(samples), new JsonObject
        {
            ["samples"] = samples, ["features"] = new JsonArray([.. features]), ["position_layers"] = config.PositionLayers,
            ["position_kernel"] = config.PositionKernel, ["position_groups"] = config.PositionGroups,
        });
    }

    private static T Typed<T>(T config, DType type)
        where T : PretrainConfig =>
        config with { Precision = type == DType.BFloat16 ? Precision.Bfloat16 : Precision.Float32 };

    /// <summary>What every modality's model is told.</summary>
    private static PeerStep Of(PretrainConfig c, Func<DType, StepCase> make, int batch, int time, JsonObject options)
    {
        var step = make(DType.Float32);
        (options["modality"], options["batch"], options["time"]) = (c.Modality, batch, time);
        (options["hidden"], options["layers"], options["heads"]) = (c.Hidden, c.Layers, c.Heads);
        (options["feed_forward"], options["top_layers"], options["head_layers"]) = (c.FeedForward, c.TopLayers, c.HeadLayers);
        (options["target_norm"], options["final_norm"]) = (c.TargetNorm.ToString().ToLowerInvariant(), c.FinalTargetNorm);
        (options["beta"], options["masked"]) = (c.SmoothL1Beta, step.Masked);
        return new PeerStep(make, step.Id, options);
    }
}
