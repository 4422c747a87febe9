namespace Data2Vec.Models.Configuration;

/// <summary>Finds presets by modality and name.</summary>
public static class Presets
{
    /// <summary>The modalities, in the order in which `pretrain all` runs them.</summary>
    public static IReadOnlyList<string> Modalities { get; } = ["text", "vision", "audio"];

    /// <summary>Names of presets; every modality has all of them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["tiny", "small", "base"];

    /// <summary>The preset of a name.</summary>
    /// <exception cref="ConfigException">There is none; the sentence lists those there are.</exception>
    public static PretrainConfig Of(string modality, string name) => modality switch
    {
        "text" => Of(TextPretrainConfig.Presets, name),
        "vision" => Of(VisionPretrainConfig.Presets, name),
        "audio" => Of(AudioPretrainConfig.Presets, name),
        _ => throw new ConfigException($"There is no modality '{modality}'{Suggestion.For(modality, Modalities).TrimEnd('.')} "
            + $"(there are {string.Join(", ", Modalities)})"),
    };

    /// <summary>The preset of a name among those of one modality.</summary>
    /// <exception cref="ConfigException">There is none; the sentence lists those there are.</exception>
    public static T Of<T>(IReadOnlyDictionary<string, T> presets, string name) =>
        presets.TryGetValue(name, out var preset) ? preset
            : throw new ConfigException($"There is no preset '{name}'{Suggestion.For(name, presets.Keys).TrimEnd('.')} "
                + $"(there are {string.Join(", ", presets.Keys)})");
}
