using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// The published Data2VecVision folder: config.json and the names of Hugging Face transformers 5.23. The patch weight
/// is [D, C, P, P] there and [D, P, P, C] here; queries, keys and values are rows of one parameter here; keys have no
/// bias.
/// </summary>
public static class PublishedVision
{
    private const string Table = "relative_position_bias.relative_position_bias_table";

    private static readonly int[] ChannelsFirst = [0, 3, 1, 2];

    /// <summary>The names of the bare model, in the order of the class; a head's follow.</summary>
    /// <param name="config">The encoder.</param>
    /// <param name="poolerNorm">A norm of the mean of the patches is stored.</param>
    /// <param name="class">The class; null = bare.</param>
    /// <param name="head">Tensors of the head.</param>
    public static PublishedMap Map(
        VisionEncoderConfig config, bool poolerNorm = false, string? @class = null,
        IEnumerable<PublishedTensor>? head = null) => new(
            PublishedFamily.Vision, @class ?? PublishedFamily.Vision.Bare,
            Base(config, poolerNorm).Concat((head ?? []).Select(t => t with { Part = PublishedPart.Head })));

    private static IEnumerable<PublishedTensor> Base(VisionEncoderConfig config, bool poolerNorm)
    {
        yield return new("embeddings.cls_token", "embeddings.cls_token") { Ones = 2 };
        if (config.MaskToken) yield return new("embeddings.mask_token", "embeddings.mask_token") { Ones = 1 };
        if (config.AbsolutePositions)
            yield return new("embeddings.position_embeddings", "embeddings.positions") { Ones = 1 };
        yield return new("embeddings.patch_embeddings.projection.weight", "embeddings.patch.weight")
        {
            Order = ChannelsFirst,
        };
        yield return new("embeddings.patch_embeddings.projection.bias", "embeddings.patch.bias");
        if (config.Relative is RelativePositions.Shared or RelativePositions.Both)
            yield return new($"encoder.{Table}", "relative_position_bias");
        for (var i = 0; i < config.Transformer.Layers; i++)
            foreach (var tensor in Layer(config, $"encoder.layer.{i}")) yield return tensor;
        if (config.FinalNorm)
            foreach (var tensor in PublishedLayers.Of("layernorm", "norm")) yield return tensor;
        if (!poolerNorm) yield break;
        foreach (var tensor in PublishedLayers.Of("pooler.layernorm", "pooler.norm"))
            yield return tensor with { Part = PublishedPart.Pooler };
    }

    private static IEnumerable<PublishedTensor> Layer(VisionEncoderConfig config, string layer)
    {
        var width = config.Transformer.Width;
        var attention = $"{layer}.attention.attention";
        if (config.Transformer.LayerScale > 0)
        {
            yield return new($"{layer}.lambda_1", $"{layer}.attention_scale");
            yield return new($"{layer}.lambda_2", $"{layer}.feed_forward_scale");
        }
        string[] parts = ["query", "key", "value"];
        for (var i = 0; i < parts.Length; i++)
        {
            yield return new($"{attention}.{parts[i]}.weight", $"{layer}.attention.qkv.weight")
            {
                FirstRow = i * width, Rows = width,
            };
        }
        yield return new($"{attention}.query.bias", $"{layer}.attention.query_value_bias") { Rows = width };
        yield return new($"{attention}.value.bias", $"{layer}.attention.query_value_bias")
        {
            FirstRow = width, Rows = width,
        };
        if (config.Relative is RelativePositions.PerLayer or RelativePositions.Both)
            yield return new($"{attention}.{Table}", $"{layer}.relative_position_bias");
        foreach (var (published, ours) in new[]
        {
            ("attention.output.dense", "attention.output"), ("intermediate.dense", "feed_forward.in"),
            ("output.dense", "feed_forward.out"), ("layernorm_before", "attention_norm"),
            ("layernorm_after", "feed_forward_norm"),
        })
            foreach (var tensor in PublishedLayers.Of($"{layer}.{published}", $"{layer}.{ours}")) yield return tensor;
    }

    /// <summary>The encoder that a configuration describes.</summary>
    /// <exception cref="InvalidDataException">
    /// A field is missing, or asks for what is not here; it is named.
    /// </exception>
    public static VisionEncoderConfig ReadConfig(PublishedConfig config)
    {
        config.Require("model_type", PublishedFamily.Vision.ModelType);
        config.Require("hidden_act", "gelu");
        var (height, width) = Size(config, "image_size");
        var (patch, across) = Size(config, "patch_size");
        if (patch != across)
            throw new InvalidDataException($"{config.Source}: patch_size must be square; got {patch} x {across}.");
        return new VisionEncoderConfig(
            new TransformerConfig(
                config.Layers("num_hidden_layers"), config.Whole("hidden_size"), config.Whole("num_attention_heads"),
                config.Whole("intermediate_size"), config.Number("layer_norm_eps"),
                config.Number("hidden_dropout_prob", 0), config.Number("attention_probs_dropout_prob", 0),
                InitialDeviation: config.Number("initializer_range", 0.02))
            {
                PreNorm = true,
                KeyBias = false,
                LayerScale = config.Number("layer_scale_init_value", 0),
                DropPath = config.Number("drop_path_rate", 0),
            },
            height, width, patch, config.Whole("num_channels", 3))
        {
            MaskToken = config.Flag("use_mask_token", false),
            AbsolutePositions = config.Flag("use_absolute_position_embeddings", false),
            FinalNorm = !config.Flag("use_mean_pooling", true),
            Relative = (config.Flag("use_shared_relative_position_bias", false),
                config.Flag("use_relative_position_bias", false)) switch
            {
                (true, true) => RelativePositions.Both,
                (true, false) => RelativePositions.Shared,
                (false, true) => RelativePositions.PerLayer,
                _ => RelativePositions.None,
            },
            TableByWidth = height != width && config.Text(OrderField) != HeightFirst,
        };
    }

    /// <summary>config.json for an encoder.</summary>
    public static byte[] WriteConfig(VisionEncoderConfig config)
    {
        var square = config.ImageHeight == config.ImageWidth;
        var fields = new JsonObject
        {
            ["architectures"] = new JsonArray(PublishedFamily.Vision.Bare),
            ["attention_probs_dropout_prob"] = config.Transformer.AttentionDropout,
            ["drop_path_rate"] = config.Transformer.DropPath,
            ["dtype"] = "float32",
            ["hidden_act"] = "gelu",
            ["hidden_dropout_prob"] = config.Transformer.Dropout,
            ["hidden_size"] = config.Transformer.Width,
            ["image_size"] = square ? config.ImageHeight : new JsonArray(config.ImageHeight, config.ImageWidth),
            ["initializer_range"] = config.Transformer.InitialDeviation,
            ["intermediate_size"] = config.Transformer.FeedForward,
            ["layer_norm_eps"] = config.Transformer.LayerNormEps,
            ["layer_scale_init_value"] = config.Transformer.LayerScale,
            ["model_type"] = PublishedFamily.Vision.ModelType,
            ["num_attention_heads"] = config.Transformer.Heads,
            ["num_channels"] = config.Channels,
            ["num_hidden_layers"] = config.Transformer.Layers,
            ["patch_size"] = config.PatchSize,
            ["use_absolute_position_embeddings"] = config.AbsolutePositions,
            ["use_mask_token"] = config.MaskToken,
            ["use_mean_pooling"] = !config.FinalNorm,
            ["use_relative_position_bias"] = config.Relative is RelativePositions.PerLayer or RelativePositions.Both,
            ["use_shared_relative_position_bias"] =
                config.Relative is RelativePositions.Shared or RelativePositions.Both,
        };
        if (!square && !config.TableByWidth) fields[OrderField] = HeightFirst;
        return PublishedConfig.Of(fields).ToBytes();
    }

    /// <summary>model.safetensors with the student's encoder under published names.</summary>
    public static void WriteWeights(ParameterStore store, VisionEncoderConfig config, Stream stream) =>
        PublishedWriter.WriteFile(
            stream, PublishedWriter.TensorsOf(new PublishedParameters(store, Map(config))), SafetensorsType.F32);

    /// <summary>
    /// Our own field: the published code reads the tables of images that are not square with width and height swapped
    /// (and so would train them); ours are by height unless the folder comes from there.
    /// </summary>
    private const string OrderField = "relative_position_table_order";

    private const string HeightFirst = "height_width";

    private static (int Height, int Width) Size(PublishedConfig config, string name) => config.WholeList(name) switch
    {
        [var side] => (side, side),
        [var height, var width] => (height, width),
        var other => throw new InvalidDataException(
            $"{config.Source}: {name} must be one number or two; got {other.Length}."),
    };
}
