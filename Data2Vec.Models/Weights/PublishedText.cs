using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// The published Data2VecText folder: config.json and the names of Hugging Face transformers 5.23. Queries, keys and
/// values are separate there and rows of one parameter here.
/// </summary>
public static class PublishedText
{
    /// <summary>The names of the bare model, in the order of the class; a head's follow.</summary>
    /// <param name="config">The encoder. Without token types one row of zeros is written for them.</param>
    /// <param name="class">The class; null = bare.</param>
    /// <param name="head">Tensors of the head.</param>
    /// <param name="ties">See <see cref="PublishedMap"/>.</param>
    public static PublishedMap Map(
        TextEncoderConfig config, string? @class = null, IEnumerable<PublishedTensor>? head = null,
        IReadOnlyDictionary<string, string>? ties = null) => new(
            PublishedFamily.Text, @class ?? PublishedFamily.Text.Bare,
            Base(config).Concat((head ?? []).Select(t => t with { Part = PublishedPart.Head })), ties);

    private static IEnumerable<PublishedTensor> Base(TextEncoderConfig config)
    {
        yield return new("embeddings.word_embeddings.weight", "embeddings.words.weight");
        yield return new("embeddings.position_embeddings.weight", "embeddings.positions.weight");
        yield return config.TokenTypes > 0
            ? new("embeddings.token_type_embeddings.weight", "embeddings.types.weight")
            : new("embeddings.token_type_embeddings.weight", null)
            {
                Zeros = new Shape(1, config.Transformer.Width),
            };
        foreach (var tensor in PublishedLayers.Of("embeddings.LayerNorm", "embeddings.norm")) yield return tensor;
        for (var i = 0; i < config.Transformer.Layers; i++)
        {
            var layer = $"encoder.layer.{i}";
            foreach (var tensor in PublishedLayers.PostNorm(layer, layer, config.Transformer.Width, Names))
                yield return tensor;
        }
        if (!config.Pooler) yield break;
        foreach (var tensor in PublishedLayers.Of("pooler.dense", "pooler"))
            yield return tensor with { Part = PublishedPart.Pooler };
    }

    private static PostNormNames Names { get; } = new(
        "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
        "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm");

    /// <summary>The encoder that a config.json describes.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is not such a configuration; the sentence names the field.
    /// </exception>
    public static TextEncoderConfig ReadConfig(string path, bool pooler = false) =>
        ReadConfig(PublishedConfig.Read(path), pooler);

    /// <summary>The encoder that a configuration describes.</summary>
    /// <exception cref="InvalidDataException">
    /// A field is missing, or asks for what is not here; it is named.
    /// </exception>
    public static TextEncoderConfig ReadConfig(PublishedConfig config, bool pooler = false)
    {
        config.Require("model_type", PublishedFamily.Text.ModelType);
        config.Require("hidden_act", "gelu");
        config.Require("position_embedding_type", "absolute");
        foreach (var field in new[] { "is_decoder", "add_cross_attention" })
        {
            if (config.Flag(field, false))
                throw new InvalidDataException(
                    $"{config.Source}: {field} must be false: text models are encoders here.");
        }
        var (vocabulary, positions, padding) = (config.Whole("vocab_size"), config.Whole("max_position_embeddings"),
            config.Whole("pad_token_id"));
        if (padding >= vocabulary || padding + 1 >= positions)
            throw new InvalidDataException($"{config.Source}: pad_token_id {padding} must be below vocab_size "
                + $"{vocabulary} and leave positions of the {positions} in max_position_embeddings.");
        return new TextEncoderConfig(
            new TransformerConfig(
                config.Layers("num_hidden_layers"), config.Whole("hidden_size"), config.Whole("num_attention_heads"),
                config.Whole("intermediate_size"), config.Number("layer_norm_eps"),
                config.Number("hidden_dropout_prob", 0), config.Number("attention_probs_dropout_prob", 0),
                InitialDeviation: config.Number("initializer_range", 0.02)),
            vocabulary, positions, config.Whole("type_vocab_size"), padding, ZeroPadding: false, pooler);
    }

    /// <summary>config.json for an encoder.</summary>
    public static byte[] WriteConfig(TextEncoderConfig config) => PublishedConfig.Of(new JsonObject
    {
        ["architectures"] = new JsonArray(PublishedFamily.Text.Bare),
        ["attention_probs_dropout_prob"] = config.Transformer.AttentionDropout,
        ["bos_token_id"] = 0,
        ["dtype"] = "float32",
        ["eos_token_id"] = 2,
        ["hidden_act"] = "gelu",
        ["hidden_dropout_prob"] = config.Transformer.Dropout,
        ["hidden_size"] = config.Transformer.Width,
        ["initializer_range"] = config.Transformer.InitialDeviation,
        ["intermediate_size"] = config.Transformer.FeedForward,
        ["layer_norm_eps"] = config.Transformer.LayerNormEps,
        ["max_position_embeddings"] = config.Positions,
        ["model_type"] = PublishedFamily.Text.ModelType,
        ["num_attention_heads"] = config.Transformer.Heads,
        ["num_hidden_layers"] = config.Transformer.Layers,
        ["pad_token_id"] = config.PaddingId,
        ["type_vocab_size"] = Math.Max(1, config.TokenTypes),
        ["vocab_size"] = config.Vocabulary,
    }).ToBytes();

    /// <summary>model.safetensors with the student's encoder under published names.</summary>
    public static void WriteWeights(ParameterStore store, TextEncoderConfig config, Stream stream) =>
        PublishedWriter.WriteFile(
            stream, PublishedWriter.TensorsOf(new PublishedParameters(store, Map(config))), SafetensorsType.F32);

    /// <summary>
    /// Loads model.safetensors into a built store, bare or from a head's file (its head is left out).
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// A tensor is missing, unexpected or of the wrong shape; it is named.
    /// </exception>
    public static void ReadWeights(string path, ParameterStore store, TextEncoderConfig config)
    {
        using var files = PublishedFiles.OpenFile(path);
        PublishedReader.Read(files, new PublishedParameters(store, Map(config)));
    }
}
