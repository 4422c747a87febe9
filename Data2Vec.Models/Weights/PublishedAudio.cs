using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// The published Data2VecAudio folder: config.json and the names of Hugging Face transformers 5.23. Convolution weights
/// are [out, in, taps] there and [out, taps, in] here; queries, keys and values are rows of one parameter here.
/// </summary>
public static class PublishedAudio
{
    private static readonly int[] TapsLast = [0, 2, 1];

    /// <summary>The names of the bare model, in the order of the class; a head's follow.</summary>
    /// <param name="config">The encoder.</param>
    /// <param name="class">The class; null = bare.</param>
    /// <param name="head">Tensors of the head.</param>
    public static PublishedMap Map(
        AudioEncoderConfig config, string? @class = null, IEnumerable<PublishedTensor>? head = null) => new(
            PublishedFamily.Audio, @class ?? PublishedFamily.Audio.Bare,
            Base(config).Concat((head ?? []).Select(t => t with { Part = PublishedPart.Head })));

    private static IEnumerable<PublishedTensor> Base(AudioEncoderConfig config)
    {
        if (config.MaskVector) yield return new("masked_spec_embed", "mask_embedding");
        for (var i = 0; i < config.Features.Count; i++)
        {
            var layer = $"feature_extractor.conv_layers.{i}";
            yield return new($"{layer}.conv.weight", $"features.conv.{i}.weight") { Order = TapsLast };
            if (config.FeatureBias) yield return new($"{layer}.conv.bias", $"features.conv.{i}.bias");
            foreach (var tensor in PublishedLayers.Of($"{layer}.layer_norm", $"features.conv.{i}.norm"))
                yield return tensor;
        }
        foreach (var tensor in PublishedLayers.Of("feature_projection.layer_norm", "projection.norm")
            .Concat(PublishedLayers.Of("feature_projection.projection", "projection"))) yield return tensor;
        for (var i = 0; i < config.PositionLayers; i++)
        {
            var layer = $"encoder.pos_conv_embed.layers.{i}.conv";
            yield return new($"{layer}.weight", $"positions.{i}.weight") { Order = TapsLast };
            yield return new($"{layer}.bias", $"positions.{i}.bias");
        }
        foreach (var tensor in PublishedLayers.Of("encoder.layer_norm", "encoder_norm")) yield return tensor;
        for (var i = 0; i < config.Transformer.Layers; i++)
        {
            foreach (var tensor in PublishedLayers.PostNorm(
                $"encoder.layers.{i}", $"encoder.layer.{i}", config.Transformer.Width, Names)) yield return tensor;
        }
    }

    private static PostNormNames Names { get; } = new(
        "attention.q_proj", "attention.k_proj", "attention.v_proj", "attention.out_proj", "layer_norm",
        "feed_forward.intermediate_dense", "feed_forward.output_dense", "final_layer_norm");

    /// <summary>The encoder that a configuration describes.</summary>
    /// <exception cref="InvalidDataException">
    /// A field is missing, or asks for what is not here; it is named.
    /// </exception>
    public static AudioEncoderConfig ReadConfig(PublishedConfig config)
    {
        config.Require("model_type", PublishedFamily.Audio.ModelType);
        config.Require("hidden_act", "gelu");
        config.Require("feat_extract_activation", "gelu");
        if (config.Flag("add_adapter", false))
            throw new InvalidDataException($"{config.Source}: add_adapter must be false: adapters are not here.");
        var (channels, kernels, strides) =
            (config.WholeList("conv_dim"), config.WholeList("conv_kernel"), config.WholeList("conv_stride"));
        if (channels.Length != kernels.Length || channels.Length != strides.Length)
            throw new InvalidDataException($"{config.Source}: conv_dim, conv_kernel and conv_stride must have one "
                + $"entry a layer; got {channels.Length}, {kernels.Length} and {strides.Length}.");
        return new AudioEncoderConfig(
            new TransformerConfig(
                config.Layers("num_hidden_layers"), config.Whole("hidden_size"), config.Whole("num_attention_heads"),
                config.Whole("intermediate_size"), config.Number("layer_norm_eps", 1e-5),
                config.Number("hidden_dropout", 0), config.Number("attention_dropout", 0),
                config.Number("activation_dropout", 0), config.Number("initializer_range", 0.02))
            {
                LayerDrop = config.Number("layerdrop", 0),
            },
            [.. channels.Select((c, i) => new ConvolutionSize(c, kernels[i], strides[i]))])
        {
            FeatureBias = config.Flag("conv_bias", false),
            MaskVector = config.Number("mask_time_prob", 0.05) > 0 || config.Number("mask_feature_prob", 0) > 0,
            PositionLayers = config.Layers("num_conv_pos_embeddings"),
            PositionKernel = config.Whole("conv_pos_kernel_size"),
            PositionGroups = config.Whole("num_conv_pos_embedding_groups"),
            FeatureDropout = config.Number("feat_proj_dropout", 0),
        };
    }

    /// <summary>config.json for an encoder.</summary>
    public static byte[] WriteConfig(AudioEncoderConfig config) => PublishedConfig.Of(new JsonObject
    {
        ["activation_dropout"] = config.Transformer.ActivationDropout,
        ["architectures"] = new JsonArray(PublishedFamily.Audio.Bare),
        ["attention_dropout"] = config.Transformer.AttentionDropout,
        ["bos_token_id"] = 1,
        ["conv_bias"] = config.FeatureBias,
        ["conv_dim"] = List(config, f => f.Channels),
        ["conv_kernel"] = List(config, f => f.Kernel),
        ["conv_pos_kernel_size"] = config.PositionKernel,
        ["conv_stride"] = List(config, f => f.Stride),
        ["dtype"] = "float32",
        ["eos_token_id"] = 2,
        ["feat_extract_activation"] = "gelu",
        ["feat_proj_dropout"] = config.FeatureDropout,
        ["hidden_act"] = "gelu",
        ["hidden_dropout"] = config.Transformer.Dropout,
        ["hidden_size"] = config.Transformer.Width,
        ["initializer_range"] = config.Transformer.InitialDeviation,
        ["intermediate_size"] = config.Transformer.FeedForward,
        ["layer_norm_eps"] = config.Transformer.LayerNormEps,
        ["layerdrop"] = config.Transformer.LayerDrop,
        // The published class has a mask vector only where masks are likely.
        ["mask_time_prob"] = config.MaskVector ? 0.05 : 0,
        ["model_type"] = PublishedFamily.Audio.ModelType,
        ["num_attention_heads"] = config.Transformer.Heads,
        ["num_conv_pos_embedding_groups"] = config.PositionGroups,
        ["num_conv_pos_embeddings"] = config.PositionLayers,
        ["num_feat_extract_layers"] = config.Features.Count,
        ["num_hidden_layers"] = config.Transformer.Layers,
        ["pad_token_id"] = 0,
        ["vocab_size"] = 32,
    }).ToBytes();

    /// <summary>model.safetensors with the student's encoder under published names.</summary>
    public static void WriteWeights(ParameterStore store, AudioEncoderConfig config, Stream stream) =>
        PublishedWriter.WriteFile(
            stream, PublishedWriter.TensorsOf(new PublishedParameters(store, Map(config))), SafetensorsType.F32);

    private static JsonArray List(AudioEncoderConfig config, Func<ConvolutionSize, int> field) =>
        [.. config.Features.Select(f => (JsonNode)field(f))];
}
