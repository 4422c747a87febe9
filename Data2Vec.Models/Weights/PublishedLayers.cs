namespace Data2Vec.Models.Weights;

/// <summary>What the parts of a post-norm layer are called.</summary>
internal sealed record PostNormNames(
    string Query, string Key, string Value, string Output, string AttentionNorm, string Expansion, string Contraction,
    string OutputNorm);

/// <summary>Names of layers that several published models have.</summary>
internal static class PublishedLayers
{
    private static readonly string[] Kinds = ["weight", "bias"];

    /// <summary>Weight and bias.</summary>
    public static IEnumerable<PublishedTensor> Of(string published, string ours) =>
        Kinds.Select(kind => new PublishedTensor($"{published}.{kind}", $"{ours}.{kind}"));

    /// <summary>Weight and bias as rows of ours.</summary>
    public static IEnumerable<PublishedTensor> RowsOf(string published, string ours, int first, int rows) =>
        Of(published, ours).Select(t => t with { FirstRow = first, Rows = rows });

    /// <summary>A post-norm layer.</summary>
    public static IEnumerable<PublishedTensor> PostNorm(
        string published, string ours, int width, PostNormNames names) =>
        RowsOf($"{published}.{names.Query}", $"{ours}.attention.qkv", 0, width)
            .Concat(RowsOf($"{published}.{names.Key}", $"{ours}.attention.qkv", width, width))
            .Concat(RowsOf($"{published}.{names.Value}", $"{ours}.attention.qkv", 2 * width, width))
            .Concat(Of($"{published}.{names.Output}", $"{ours}.attention.output"))
            .Concat(Of($"{published}.{names.AttentionNorm}", $"{ours}.attention.norm"))
            .Concat(Of($"{published}.{names.Expansion}", $"{ours}.feed_forward.in"))
            .Concat(Of($"{published}.{names.Contraction}", $"{ours}.feed_forward.out"))
            .Concat(Of($"{published}.{names.OutputNorm}", $"{ours}.feed_forward.norm"));
}
