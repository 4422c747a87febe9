using Data2Vec.Models;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>Parameter names of the code that pre-trained the published vision models.</summary>
internal static class OriginalNames
{
    private static readonly string[] Kinds = ["weight", "bias"];

    /// <summary>
    /// Names of data2vec_vision's model. Patches are [width, channel, y, x] there, channel-last here; queries and
    /// values have a bias each, rows of one here.
    /// </summary>
    public static PublishedMap Vision(VisionEncoderConfig config, params IEnumerable<PublishedTensor> heads)
    {
        var tensors = new List<PublishedTensor>
        {
            new("cls_token", "embeddings.cls_token"),
            new("patch_embed.proj.weight", "embeddings.patch.weight") { Order = [0, 3, 1, 2] },
            new("patch_embed.proj.bias", "embeddings.patch.bias"),
        };
        if (config.MaskToken) tensors.Add(new("mask_token", "embeddings.mask_token"));
        if (config.AbsolutePositions) tensors.Add(new("pos_embed", "embeddings.positions"));
        const string table = "relative_position_bias_table";
        if (config.Relative == RelativePositions.Shared)
            tensors.Add(new($"rel_pos_bias.{table}", "relative_position_bias"));
        for (var i = 0; i < config.Transformer.Layers; i++)
        {
            var (from, to) = ($"blocks.{i}", $"encoder.layer.{i}");
            if (config.Relative == RelativePositions.PerLayer)
                tensors.Add(new($"{from}.attn.{table}", $"{to}.relative_position_bias"));
            tensors.AddRange(VisionBlock(from, to, config.Transformer));
        }
        if (config.FinalNorm) tensors.AddRange(Layer("norm", "norm"));
        tensors.AddRange(heads);
        return new PublishedMap(PublishedFamily.Vision, PublishedFamily.Vision.Bare, tensors);
    }

    /// <summary>Weight and bias of a layer.</summary>
    public static IEnumerable<PublishedTensor> Layer(string published, string ours) =>
        Kinds.Select(kind => new PublishedTensor($"{published}.{kind}", $"{ours}.{kind}"));

    private static IEnumerable<PublishedTensor> VisionBlock(string from, string to, TransformerConfig config)
    {
        var width = config.Width;
        yield return new($"{from}.attn.qkv.weight", $"{to}.attention.qkv.weight");
        yield return new($"{from}.attn.q_bias", $"{to}.attention.query_value_bias") { Rows = width };
        yield return new($"{from}.attn.v_bias", $"{to}.attention.query_value_bias") { FirstRow = width, Rows = width };
        if (config.LayerScale > 0)
        {
            yield return new($"{from}.gamma_1", $"{to}.attention_scale");
            yield return new($"{from}.gamma_2", $"{to}.feed_forward_scale");
        }
        foreach (var (published, ours) in new[]
        {
            ("norm1", "attention_norm"), ("attn.proj", "attention.output"), ("norm2", "feed_forward_norm"),
            ("mlp.fc1", "feed_forward.in"), ("mlp.fc2", "feed_forward.out"),
        })
            foreach (var tensor in Layer($"{from}.{published}", $"{to}.{ours}")) yield return tensor;
    }
}
