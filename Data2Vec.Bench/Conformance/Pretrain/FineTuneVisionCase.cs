using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>One recorded run of the published vision fine-tuning.</summary>
internal sealed class FineTuneVisionCase : VisionRun
{
    private readonly ImageClassifier model;
    private readonly bool meanPooling;
    private readonly double smoothing;
    private readonly int classes;
    private int batch;

    public FineTuneVisionCase(
        JsonElement item, SafetensorsFile inputs, SafetensorsFile expected, Device device, DType type)
        : base(item, inputs, expected, device, type)
    {
        meanPooling = Setup.Flag("mean_pooling", true);
        smoothing = Setup.Number("smoothing", 0);
        classes = Setup.Int("classes");
        var relative = Config.GetProperty("rel_pos").GetString() switch
        {
            "shared" => RelativePositions.Shared,
            "per_layer" => RelativePositions.PerLayer,
            "none" or null => RelativePositions.None,
            var other => throw new NotExpressibleException($"rel_pos {other} is not expressed"),
        };
        var encoder = Setup.Encoder(relative, maskToken: inputs.Contains("weight.mask_token"), finalNorm: !meanPooling);
        model = new ImageClassifier(new ParameterStore(device, type), encoder, classes);
        var layers = encoder.Transformer.Layers;
        var decay = Setup.Number("layer_decay", 1);
        model.Store.ScaleLearningRates(name => LayerDecay.Scale(name, layers, decay));
        model.Store.Build(1, weightDecay: 1, decayVectors: false);
        var heads = OriginalNames.Layer("head", "head");
        if (meanPooling) heads = heads.Concat(OriginalNames.Layer("fc_norm", "pooler.norm"));
        Parameters = new PublishedParameters(model.Store, OriginalNames.Vision(encoder, heads));
    }

    protected override ParameterStore Store => model.Store;

    protected override PublishedParameters Parameters { get; }

    protected override void Start()
    {
        Load("weight.", ParameterPart.Student);
        var layers = model.Encoder.Config.Transformer.Layers;
        foreach (var parameter in Info.GetProperty("parameters").EnumerateObject())
        {
            var name = Parameters.Map.Find(parameter.Name)?.Parameter
                ?? throw new NotExpressibleException($"the model has no parameter {parameter.Name}");
            Number($"layer of {parameter.Name}", LayerDecay.LayerOf(name, layers), parameter.Value.GetProperty("layer"),
                Tolerance.Exact);
            Number($"rate of {parameter.Name}", Store.Parameters[Store.NumberOf(name)].LearningRateScale,
                parameter.Value.GetProperty("lr_scale"), new(Tolerance.Double));
        }
    }

    protected override void Update(int s, string prefix)
    {
        var micros = Setup.Int("update_freq");
        for (var m = 0; m < micros; m++) MicroBatch();
        Step.Values.GradientDivisor = micros;
        ComputeNorm();
        Probed(prefix + "grad.", ParameterPart.Gradient, "grad", micros);
        Move(Store, Setup.Adam);
        Probed(prefix + "weight.", ParameterPart.Student, "weight");
    }

    private void MicroBatch()
    {
        var prefix = $"batch{batch + 1}/";
        using var scope = Device.Scope();
        using var tape = new Tape(Device);
        using var parameters = Store.Student(tape);
        var (pixels, shape) = Pixels(batch);
        var images = Tensor.FromDoubles(Device, Array.ConvertAll(pixels, x => (double)x), shape, Type);
        int[] labels = [.. Inputs.Read<long>("labels").Skip(batch * images.Shape[0]).Take(images.Shape[0])
            .Select(l => (int)l)];
        Func<Tensor, Tensor> loss = logits => ClassificationLoss.OneOfMany(logits, labels, smoothing: smoothing);
        if (Mix() is { } mix)
        {
            (images, var share) = ImageMixing.Mix(images, mix);
            Number($"{prefix}lam_after", share, Info.GetProperty("mix")[batch].GetProperty("lam_after"),
                new(Tolerance.Double));
            var targets = ImageMixing.Targets(labels, classes, share, smoothing);
            Add(Expected, prefix + "mixed_images", Ops.Permute(images, 0, 3, 1, 2), Of("mixed_images"));
            Add(Expected, prefix + "soft_targets", targets, Of("soft_targets"));
            loss = logits => ClassificationLoss.Soft(logits, targets);
        }
        var output = model.Encoder.Forward(parameters, images, null, new ForwardMode());
        // Without pooling the recorded tensor is all rows under the norm.
        Add(Expected, prefix + "pooled", meanPooling ? model.Pool(parameters, output.Last) : output.Last, Of("pooled"));
        var logits = model.Logits(parameters, output.Last);
        Add(Expected, prefix + "logits", logits, Of("logits"));
        var value = loss(logits);
        Add(Expected, prefix + "loss", [value.Item()], Of("loss"));
        tape.Backward(value);
        batch++;
    }

    /// <summary>How the next batch was mixed; null = not.</summary>
    private ImageMix? Mix()
    {
        if (!Config.TryGetProperty("mix", out var mixes)) return null;
        var mix = mixes[batch];
        var share = mix.GetProperty("lam").GetDouble();
        if (!mix.GetProperty("cutmix").GetBoolean()) return new(share);
        var centre = mix.GetProperty("centre");
        return new(share, true, centre[0].GetInt32(), centre[1].GetInt32());
    }
}
