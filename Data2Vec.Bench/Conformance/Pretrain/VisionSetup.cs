using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>Models, rates and numbers of the published vision code from a recorded configuration.</summary>
internal sealed class VisionSetup(JsonElement config)
{
    private const double LayerNormEps = 1e-6;

    public int Steps => Int("steps");

    public int First => Int("start_step");

    /// <summary>Iterations of an epoch.</summary>
    public int EpochLength => Int("iters");

    public int Width => Int("dim");

    public double WeightDecay => config.GetProperty("wd").GetDouble();

    public double Clip => config.TryGetProperty("clip", out var clip) && clip.ValueKind == JsonValueKind.Number
        ? clip.GetDouble()
        : 0;

    /// <summary>The learning rate by iteration.</summary>
    public ISchedule Rates => new VisionCosineSchedule(config.GetProperty("lr").GetDouble(),
        config.GetProperty("min_lr").GetDouble(), Int("epochs") * EpochLength, Int("warmup_epochs") * EpochLength);

    /// <summary>The weight decay by iteration.</summary>
    public ISchedule Decays => new VisionCosineSchedule(
        WeightDecay, Number("wd_end", WeightDecay), Int("epochs") * EpochLength);

    public AdamOptions Adam => config.TryGetProperty("betas", out var betas)
        ? new(betas[0].GetDouble(), betas[1].GetDouble(), 1e-8, Kernels.AdamVariant.AdamW)
        : new(0.9, 0.999, 1e-8, Kernels.AdamVariant.AdamW);

    public int Int(string name) => config.GetProperty(name).GetInt32();

    public double Number(string name, double otherwise) =>
        config.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : otherwise;

    public bool Flag(string name, bool otherwise) =>
        config.TryGetProperty(name, out var value) ? value.GetBoolean() : otherwise;

    public VisionEncoderConfig Encoder(RelativePositions relative, bool maskToken, bool finalNorm)
    {
        var (image, patch) = (config.GetProperty("img"), config.GetProperty("patch"));
        if (patch[0].GetInt32() != patch[1].GetInt32())
            throw new NotExpressibleException("patches are squares here");
        var transformer = new TransformerConfig(Int("depth"), Width, Int("heads"),
            (int)(Width * Number("mlp_ratio", 4)), LayerNormEps)
        {
            PreNorm = true, KeyBias = false, LayerScale = Number("init_values", 0), DropPath = Number("drop_path", 0),
        };
        return new VisionEncoderConfig(transformer, image[0].GetInt32(), image[1].GetInt32(), patch[0].GetInt32(),
            Int("in_chans"))
        {
            Relative = relative, AbsolutePositions = Flag("abs_pos", false), MaskToken = maskToken,
            FinalNorm = finalNorm,
        };
    }

    /// <summary>[B, C, H, W] as [B, H, W, C].</summary>
    public static float[] ChannelsLast(ReadOnlySpan<float> images, int batch, int channels, int height, int width)
    {
        var last = new float[images.Length];
        var (pixels, at) = (height * width, 0);
        for (var b = 0; b < batch; b++)
        {
            for (var p = 0; p < pixels; p++)
                for (var c = 0; c < channels; c++) last[at++] = images[(b * channels + c) * pixels + p];
        }
        return last;
    }

    /// <summary>Five numbers that stand for a tensor: sum, L2 norm, first, middle and last element.</summary>
    public static double[] Probe(double[] values) =>
        [values.Sum(), Math.Sqrt(values.Sum(v => v * v)), values[0], values[values.Length / 2], values[^1]];
}
