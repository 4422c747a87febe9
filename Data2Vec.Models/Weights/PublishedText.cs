using System.Text.Json;
using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>A published tensor as rows of one of our parameters.</summary>
/// <param name="Published">Name in published files.</param>
/// <param name="Parameter">Our parameter's name.</param>
/// <param name="FirstRow">First row of the parameter.</param>
/// <param name="Rows">Number of rows; 0 = all.</param>
public readonly record struct WeightSlice(string Published, string Parameter, int FirstRow = 0, int Rows = 0);

/// <summary>
/// The published Data2VecText folder: config.json and model.safetensors with the names of Hugging Face transformers 5.23.
/// Queries, keys and values are separate there and rows of one parameter here.
/// </summary>
public static class PublishedText
{
    private const string Prefix = "data2vec_text.";

    /// <summary>Buffers and head parameters that a bare model does not need.</summary>
    private static readonly string[] Ignored =
        ["embeddings.position_ids", "lm_head.", "classifier.", "qa_outputs."];

    /// <summary>Published names of the bare model, in file order.</summary>
    public static IEnumerable<WeightSlice> Names(TextEncoderConfig config)
    {
        yield return new("embeddings.word_embeddings.weight", "embeddings.words.weight");
        yield return new("embeddings.position_embeddings.weight", "embeddings.positions.weight");
        if (config.TokenTypes > 0)
            yield return new("embeddings.token_type_embeddings.weight", "embeddings.types.weight");
        foreach (var kind in new[] { "weight", "bias" })
            yield return new($"embeddings.LayerNorm.{kind}", $"embeddings.norm.{kind}");
        var width = config.Transformer.Width;
        for (var i = 0; i < config.Transformer.Layers; i++)
        {
            var (theirs, ours) = ($"encoder.layer.{i}", $"encoder.layer.{i}");
            foreach (var kind in new[] { "weight", "bias" })
            {
                var row = 0;
                foreach (var part in new[] { "query", "key", "value" })
                {
                    yield return new($"{theirs}.attention.self.{part}.{kind}", $"{ours}.attention.qkv.{kind}", row, width);
                    row += width;
                }
                yield return new($"{theirs}.attention.output.dense.{kind}", $"{ours}.attention.output.{kind}");
                yield return new($"{theirs}.attention.output.LayerNorm.{kind}", $"{ours}.attention.norm.{kind}");
                yield return new($"{theirs}.intermediate.dense.{kind}", $"{ours}.feed_forward.in.{kind}");
                yield return new($"{theirs}.output.dense.{kind}", $"{ours}.feed_forward.out.{kind}");
                yield return new($"{theirs}.output.LayerNorm.{kind}", $"{ours}.feed_forward.norm.{kind}");
            }
        }
        if (!config.Pooler) yield break;
        foreach (var kind in new[] { "weight", "bias" }) yield return new($"pooler.dense.{kind}", $"pooler.{kind}");
    }

    /// <summary>The encoder that a config.json describes.</summary>
    /// <exception cref="InvalidDataException">The file is not such a configuration; the sentence names the field.</exception>
    public static TextEncoderConfig ReadConfig(string path, bool pooler = false)
    {
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            root = document.RootElement.Clone();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path} cannot be read: {e.Message}");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is not valid JSON: {e.Message}");
        }
        if (root.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{path} must hold a JSON object.");
        if (root.TryGetProperty("model_type", out var kind) && kind.GetString() != "data2vec-text")
            throw new InvalidDataException($"{path}: model_type must be data2vec-text; got {kind}.");
        if (root.TryGetProperty("hidden_act", out var act) && act.GetString() != "gelu")
            throw new InvalidDataException($"{path}: hidden_act must be gelu; got {act}.");
        int Whole(string name) => root.TryGetProperty(name, out var v) && v.TryGetInt32(out var i) && i >= 0 ? i
            : throw new InvalidDataException($"{path}: the field {name} must be a whole number.");
        double Rate(string name) => root.TryGetProperty(name, out var v) && v.TryGetDouble(out var d) ? d : 0;
        return new TextEncoderConfig(
            new TransformerConfig(
                Whole("num_hidden_layers"), Whole("hidden_size"), Whole("num_attention_heads"), Whole("intermediate_size"),
                Rate("layer_norm_eps"), Rate("hidden_dropout_prob"), Rate("attention_probs_dropout_prob")),
            Whole("vocab_size"), Whole("max_position_embeddings"), Whole("type_vocab_size"), Whole("pad_token_id"),
            ZeroPadding: false, pooler);
    }

    /// <summary>config.json for an encoder.</summary>
    public static byte[] WriteConfig(TextEncoderConfig config) => JsonSerializer.SerializeToUtf8Bytes(
        new JsonObject
        {
            ["architectures"] = new JsonArray("Data2VecTextModel"),
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
            ["model_type"] = "data2vec-text",
            ["num_attention_heads"] = config.Transformer.Heads,
            ["num_hidden_layers"] = config.Transformer.Layers,
            ["pad_token_id"] = config.PaddingId,
            ["type_vocab_size"] = Math.Max(1, config.TokenTypes),
            ["vocab_size"] = config.Vocabulary,
        },
        new JsonSerializerOptions { WriteIndented = true });

    /// <summary>model.safetensors with the student's encoder under published names; without token types one row of zeros.</summary>
    public static void WriteWeights(ParameterStore store, TextEncoderConfig config, Stream stream)
    {
        var writer = new SafetensorsWriter();
        writer.SetMetadata("format", "pt");
        foreach (var slice in Names(config))
        {
            var number = store.NumberOf(slice.Parameter);
            var shape = store.Parameters[number].Shape;
            var values = Array.ConvertAll(store.Read(ParameterPart.Student, number), x => (float)x);
            if (slice.Rows > 0)
            {
                var columns = (int)(shape.Count / shape[0]);
                values = values.AsSpan(slice.FirstRow * columns, slice.Rows * columns).ToArray();
                shape = shape.With(0, slice.Rows);
            }
            writer.Add<float>(slice.Published, shape, values);
        }
        if (config.TokenTypes == 0)
        {
            var width = config.Transformer.Width;
            writer.Add<float>("embeddings.token_type_embeddings.weight", new Shape(1, width), new float[width]);
        }
        writer.Write(stream);
    }

    /// <summary>Loads model.safetensors into a built store, bare or from a head's file (its head is left out).</summary>
    /// <exception cref="InvalidDataException">A tensor is missing, unexpected or of the wrong shape; it is named.</exception>
    public static void ReadWeights(string path, ParameterStore store, TextEncoderConfig config)
    {
        using var file = SafetensorsFile.Open(path);
        var prefix = file.Entries.Any(e => e.Name.StartsWith(Prefix, StringComparison.Ordinal)) ? Prefix : "";
        var slices = Names(config).ToList();
        var known = slices.Select(s => prefix + s.Published).ToHashSet();
        foreach (var entry in file.Entries)
        {
            var bare = entry.Name.StartsWith(Prefix, StringComparison.Ordinal) ? entry.Name[Prefix.Length..] : entry.Name;
            if (known.Contains(entry.Name) || Ignored.Any(i => bare.StartsWith(i, StringComparison.Ordinal))) continue;
            if (bare.StartsWith("pooler.", StringComparison.Ordinal) && !config.Pooler) continue;
            throw new InvalidDataException($"{path} holds the tensor {entry.Name}, which the model does not have.");
        }
        foreach (var group in slices.GroupBy(s => s.Parameter))
        {
            var number = store.NumberOf(group.Key);
            var shape = store.Parameters[number].Shape;
            var columns = (int)(shape.Count / shape[0]);
            var values = new double[shape.Count];
            foreach (var slice in group)
            {
                var name = prefix + slice.Published;
                if (!file.Contains(name)) throw new InvalidDataException($"{path} lacks the tensor {name}.");
                var expected = slice.Rows > 0 ? shape.With(0, slice.Rows) : shape;
                if (file[name].ToShape() != expected)
                    throw new InvalidDataException($"{path}: {name} must have shape {expected}; got {file[name].ToShape()}.");
                file.ReadDoubles(name).CopyTo(values.AsSpan(slice.FirstRow * columns));
            }
            store.Write(ParameterPart.Student, number, values);
            if (store.HasTeacherValue(number)) store.Write(ParameterPart.Teacher, number, values);
        }
    }
}
