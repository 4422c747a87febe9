namespace Data2Vec.Models.Weights;

/// <summary>What the published models of one modality have in common.</summary>
/// <param name="ModelType">Field model_type of config.json.</param>
/// <param name="Bare">Class of the bare model.</param>
/// <param name="Prefix">Before the names of the base in files with a head.</param>
/// <param name="Buffers">Ends of names of buffers that old files hold and that say nothing.</param>
/// <param name="Heads">Beginnings of names, without prefix, that belong to heads or poolers.</param>
public sealed record PublishedFamily(
    string ModelType, string Bare, string Prefix, IReadOnlyList<string> Buffers, IReadOnlyList<string> Heads)
{
    /// <summary>data2vec for speech.</summary>
    public static PublishedFamily Audio { get; } = new(
        "data2vec-audio", "Data2VecAudioModel", "data2vec_audio.", [],
        ["lm_head.", "projector.", "classifier.", "layer_weights", "tdnn.", "feature_extractor.weight",
            "feature_extractor.bias", "objective."]);

    /// <summary>data2vec for images.</summary>
    public static PublishedFamily Vision { get; } = new(
        "data2vec-vision", "Data2VecVisionModel", "data2vec_vision.", ["relative_position_index"],
        ["classifier.", "pooler."]);

    /// <summary>data2vec for text.</summary>
    public static PublishedFamily Text { get; } = new(
        "data2vec-text", "Data2VecTextModel", "data2vec_text.", ["embeddings.position_ids"],
        ["lm_head.", "classifier.", "qa_outputs.", "pooler."]);

    /// <summary>All three.</summary>
    public static IReadOnlyList<PublishedFamily> All { get; } = [Audio, Vision, Text];

    /// <summary>The family of a class, by its name.</summary>
    /// <exception cref="InvalidDataException">No family has such a class.</exception>
    public static PublishedFamily OfClass(string name) =>
        All.FirstOrDefault(f => name.StartsWith(f.Bare[..^"Model".Length], StringComparison.Ordinal))
        ?? throw new InvalidDataException($"{name} is no data2vec class: expected Data2VecAudio..., Data2VecVision... "
            + "or Data2VecText...");

    /// <summary>A stored name without the prefix.</summary>
    public string WithoutPrefix(string stored) =>
        stored.StartsWith(Prefix, StringComparison.Ordinal) ? stored[Prefix.Length..] : stored;

    /// <summary>True for a buffer, which is ignored.</summary>
    public bool IsBuffer(string stored) =>
        Buffers.Any(b => stored == b || stored.EndsWith("." + b, StringComparison.Ordinal));

    /// <summary>True for a tensor of some head or pooler.</summary>
    public bool IsOfHead(string stored) =>
        Heads.Any(h => WithoutPrefix(stored).StartsWith(h, StringComparison.Ordinal));
}
