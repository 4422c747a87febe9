using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>One recorded run of the published text code.</summary>
internal sealed class PretrainTextCase : FairseqRun<TextPretrainBatch>
{
    private readonly JsonElement names;
    private readonly TextPretrainModel model;

    public PretrainTextCase(JsonElement item, JsonElement names, SafetensorsFile file, Device device, DType type)
        : base(item, file, device, type)
    {
        this.names = names;
        var m = item.GetProperty("model");
        int Size(string name) => m.GetProperty(name).GetInt32();
        bool Flag(string name) => m.TryGetProperty(name, out var flag) && flag.GetBoolean();
        var padding = item.GetProperty("pad").GetInt32();
        var config = new TextEncoderConfig(
            new TransformerConfig(Size("layers"), Size("embed_dim"), Size("attention_heads"), Size("ffn_embed_dim")),
            item.GetProperty("vocabulary").GetInt32(), Size("max_positions") + padding + 1, PaddingId: padding);
        model = new TextPretrainModel(new ParameterStore(device, type), config, Size("head_layers"),
            averageEverything: !Flag("ema_transformer_layers_only"));
        model.Store.Build(1, item.GetProperty("optimizer").GetProperty("weight_decay").GetDouble());
        Parameters = RegressionNames.Of(model.Store, PublishedText.Map(config));
        Objective = new ObjectiveConfig(
            new TargetRecipe(Size("average_top_k_layers"), Flag("batch_norm_target_layer"),
                Flag("instance_norm_target_layer"), Flag("layer_norm_target_layer"), Flag("layer_norm_targets"),
                Flag("instance_norm_targets")),
            m.GetProperty("loss_beta").GetDouble(), m.GetProperty("loss_scale").GetDouble());
    }

    protected override IPretrainable<TextPretrainBatch> Model => model;

    protected override PublishedParameters Parameters { get; }

    protected override ObjectiveConfig Objective { get; }

    protected override string WidthField => "embed_dim";

    protected override string NameOf(string recorded) => names.GetProperty(recorded).GetString()!;

    protected override TextPretrainBatch Batch(string prefix)
    {
        var shape = File[prefix + "source_ids"].ToShape();
        TextBatch Ids(string name) => new(shape[0], shape[1], File.Read<int>(prefix + name));
        return new TextPretrainBatch(
            Ids("source_ids"), Ids("teacher_ids"), File.Read<bool>(prefix + "loss_positions"));
    }

    protected override void FrontStages(string prefix, TextPretrainBatch batch, ObjectiveResult result)
    {
        Add(File, prefix + "embeddings", result.Student.Hidden[0], Of(0, "prediction"));
        Add(File, prefix + "teacher_embeddings", result.Teacher!.Hidden[0], Of(0, "target"));
    }

    public override void Dispose()
    {
        base.Dispose();
        model.Dispose();
    }
}
