using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>One recorded run of the published speech code.</summary>
internal sealed partial class PretrainAudioCase : FairseqRun<AudioPretrainBatch>
{
    private readonly JsonElement names;
    private readonly AudioPretrainModel model;

    public PretrainAudioCase(JsonElement item, JsonElement names, SafetensorsFile file, Device device, DType type)
        : base(item, file, device, type)
    {
        this.names = names;
        var m = item.GetProperty("model");
        int Size(string name) => m.GetProperty(name).GetInt32();
        var config = new AudioEncoderConfig(
            new TransformerConfig(Size("encoder_layers"), Size("encoder_embed_dim"), Size("encoder_attention_heads"),
                Size("encoder_ffn_embed_dim")),
            Convolutions(m.GetProperty("conv_feature_layers").GetString()!))
        {
            PositionLayers = Size("pos_conv_depth"),
            PositionKernel = Math.Max(3, Size("conv_pos") / Size("pos_conv_depth")),
            PositionGroups = Size("conv_pos_groups"),
            FeatureGradientScale = m.GetProperty("feature_grad_mult").GetDouble(),
        };
        model = new AudioPretrainModel(new ParameterStore(device, type), config, Teacher(item.GetProperty("teacher")));
        model.Store.Build(1, item.GetProperty("optimizer").GetProperty("weight_decay").GetDouble());
        Parameters = RegressionNames.Of(model.Store, PublishedAudio.Map(config));
        var scale = m.GetProperty("loss_scale");
        Objective = new ObjectiveConfig(Recipe(m), m.GetProperty("loss_beta").GetDouble(),
            scale.ValueKind == JsonValueKind.Number ? scale.GetDouble() : 0);
    }

    protected override IPretrainable<AudioPretrainBatch> Model => model;

    protected override PublishedParameters Parameters { get; }

    protected override ObjectiveConfig Objective { get; }

    protected override string WidthField => "encoder_embed_dim";

    protected override string NameOf(string recorded) => names.GetProperty(recorded).GetString()!;

    protected override AudioPretrainBatch Batch(string prefix)
    {
        var shape = File[prefix + "source"].ToShape();
        int[]? lengths = null;
        if (File.Contains(prefix + "padding_mask"))
        {
            lengths = [.. File.Read<bool>(prefix + "padding_mask").Chunk(shape[1])
                .Select(row => row.Count(padding => !padding))];
        }
        return new AudioPretrainBatch(shape[0], shape[1], File.Read<float>(prefix + "source"), lengths,
            File.Read<bool>(prefix + "mask_indices"));
    }

    protected override void FrontStages(string prefix, AudioPretrainBatch batch, ObjectiveResult result)
    {
        using var student = model.Store.Student();
        var encoder = model.Encoder;
        var waveform = Tensor.FromDoubles(
            Device, Array.ConvertAll(batch.Waveforms, x => (double)x), new Shape(batch.Batch, batch.Samples), Type);
        var features = encoder.Features(student, waveform);
        var projected = encoder.Project(student, features);
        // Predictions and targets are made of these: they may be as far off as the further of both.
        var (prediction, target) = (Of(0, "prediction"), Of(0, "target"));
        var tolerance = prediction.Relative > target.Relative ? prediction : target;
        Add(File, prefix + "features", Ops.Permute(features, 0, 2, 1), tolerance);
        Add(File, prefix + "projected", projected, tolerance);
        Add(File, prefix + "teacher_input", projected, tolerance);
        Add(File, prefix + "student_input", encoder.Masked(student, projected, null, batch.Masked), tolerance);
        if (!File.Contains(prefix + "frame_padding_mask")) return;
        var frames = Array.ConvertAll(batch.Lengths!, encoder.Config.Frames);
        double[] padding = [.. frames.SelectMany(
            n => Enumerable.Range(0, batch.Frames).Select(t => t < n ? 0.0 : 1.0))];
        Add(File, prefix + "frame_padding_mask", padding, Tolerance.Exact);
    }

    public override void Dispose()
    {
        base.Dispose();
        model.Store.Dispose();
    }

    /// <summary>
    /// Step 9 of the recorded description. The later norms of a recipe without per-layer batch or instance norm see [T,
    /// B, D]; a teacher with its own convolutions averages all layers.
    /// </summary>
    private static TargetRecipe Recipe(JsonElement m)
    {
        bool Flag(string name) => m.TryGetProperty(name, out var flag) && flag.GetBoolean();
        var (batch, instance) = (Flag("batch_norm_target_layer"), Flag("instance_norm_target_layer"));
        var own = !Flag("ema_transformer_only") && !Flag("ema_layers_only");
        var layers = m.GetProperty(own ? "encoder_layers" : "average_top_k_layers").GetInt32();
        return new TargetRecipe(layers, batch, instance, Flag("layer_norm_target_layer"), Flag("layer_norm_targets"),
            Flag("instance_norm_targets"))
        {
            GroupNorm = Flag("group_norm_target_layer"), TimeFirst = !batch && !instance,
        };
    }

    /// <summary>What the recorded teacher does with one parameter of each part.</summary>
    private static AudioTeacher Teacher(JsonElement teacher)
    {
        TeacherRule Rule(string parameter)
        {
            bool In(string list) => teacher.TryGetProperty(list, out var names)
                && names.EnumerateArray().Any(n => n.GetString() == parameter);
            return In("averaged") ? TeacherRule.Averaged : In("copied") ? TeacherRule.Copied : TeacherRule.Shared;
        }
        return new AudioTeacher(Rule("post_extract_proj.weight"), Rule("encoder.pos_conv.0.0.weight"),
            Rule("encoder.layers.0.fc1.weight"))
        {
            Head = Rule("final_proj.weight"),
        };
    }

    /// <summary>"[(8,10,5)] + [(8,3,2)] * 4": channels, kernel, stride.</summary>
    private static List<ConvolutionSize> Convolutions(string text)
    {
        var sizes = new List<ConvolutionSize>();
        foreach (Match list in Lists().Matches(text))
        {
            var times = list.Groups[2].Success ? int.Parse(list.Groups[2].Value, CultureInfo.InvariantCulture) : 1;
            for (var i = 0; i < times; i++)
            {
                foreach (Match triple in Triples().Matches(list.Groups[1].Value))
                {
                    int Part(int n) => int.Parse(triple.Groups[n].Value, CultureInfo.InvariantCulture);
                    sizes.Add(new(Part(1), Part(2), Part(3)));
                }
            }
        }
        return sizes;
    }

    [GeneratedRegex(@"\[([^\]]*)\](?:\s*\*\s*(\d+))?")]
    private static partial Regex Lists();

    [GeneratedRegex(@"\((\d+),\s*(\d+),\s*(\d+)\)")]
    private static partial Regex Triples();
}
