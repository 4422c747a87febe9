using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Models;
using Data2Vec.Models.Weights;

namespace Data2Vec.Tests.Weights;

/// <summary>Small models of every published class, and folders that hold them.</summary>
internal static class TinyModels
{
    private const string Audio = """
        {"model_type": "data2vec-audio", "conv_dim": [4, 6], "conv_kernel": [10, 3], "conv_stride": [5, 2],
         "num_conv_pos_embeddings": 2, "conv_pos_kernel_size": 3, "num_conv_pos_embedding_groups": 2, "vocab_size": 7,
         "classifier_proj_size": 5, "tdnn_dim": [5, 6], "tdnn_kernel": [3, 1], "tdnn_dilation": [2, 1],
         "xvector_output_dim": 4, "layer_norm_eps": 1e-5}
        """;

    private const string Vision = """
        {"model_type": "data2vec-vision", "image_size": 16, "patch_size": 8, "layer_norm_eps": 1e-12,
         "layer_scale_init_value": 0.1, "use_mean_pooling": false, "use_shared_relative_position_bias": true,
         "use_relative_position_bias": true}
        """;

    private const string Text = """
        {"model_type": "data2vec-text", "vocab_size": 23, "max_position_embeddings": 9, "type_vocab_size": 1,
         "layer_norm_eps": 1e-5, "pad_token_id": 1}
        """;

    /// <summary>The configuration of a class.</summary>
    public static PublishedConfig Config(string name)
    {
        var json = name.Contains("Audio") ? Audio : name.Contains("Vision") ? Vision : Text;
        var fields = JsonNode.Parse(json)!.AsObject();
        fields["architectures"] = new JsonArray(name);
        (fields["hidden_size"], fields["num_hidden_layers"]) = (8, 2);
        (fields["num_attention_heads"], fields["intermediate_size"], fields["num_labels"]) = (2, 12, 3);
        return PublishedConfig.Of(fields);
    }

    /// <summary>Writes the folder of a fresh model.</summary>
    public static void Save(
        string folder, string name, ulong seed = 1, PublishedConfig? config = null, Func<string, bool>? keep = null)
    {
        config ??= Config(name);
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var model = PublishedClasses.Declare(name, config, store);
        store.Build(seed);
        var tensors = PublishedWriter.TensorsOf(model.Parameters).Where(t => keep is null || keep(t.Name));
        PublishedFolder.Save(folder, config, [.. tensors], new WeightLayout());
    }

    /// <summary>All tensors of a folder, by stored name.</summary>
    public static Dictionary<string, float[]> Read(string folder)
    {
        using var files = PublishedFiles.Open(folder);
        return files.Names.ToDictionary(n => n, n => files.FileOf(n).ReadSingles(n));
    }
}
