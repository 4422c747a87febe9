using System.Text.Json.Nodes;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Weights;

/// <summary>preprocessor_config.json of a published audio folder: from a clip to what the encoder reads.</summary>
/// <param name="SampleRate">Samples per second that the model was trained on.</param>
/// <param name="Options">Normalisation and padding.</param>
public sealed record AudioPreprocessor(int SampleRate, AudioExtractorOptions Options)
{
    /// <summary>The file's name in a model's folder.</summary>
    public const string Name = "preprocessor_config.json";

    /// <summary>Of all released models: 16 kHz, zero mean and unit variance.</summary>
    public static AudioPreprocessor Released { get; } = new(16000, new AudioExtractorOptions());

    /// <summary>Reads the file of a folder, or gives the released one where there is none.</summary>
    /// <exception cref="InvalidDataException">A field does not fit; it is named.</exception>
    public static AudioPreprocessor Load(string folder)
    {
        var path = Path.Combine(folder, Name);
        if (!File.Exists(path)) return Released;
        var file = PublishedConfig.Read(path);
        file.Require("feature_extractor_type", "Wav2Vec2FeatureExtractor");
        file.Require("padding_side", "right");
        if (file.Whole("feature_size", 1) != 1)
            throw new InvalidDataException($"{path}: feature_size must be 1: the model reads samples.");
        var rate = file.Whole("sampling_rate", Released.SampleRate);
        if (rate < 1) throw new InvalidDataException($"{path}: sampling_rate must be positive.");
        return new AudioPreprocessor(rate, new AudioExtractorOptions
        {
            Normalize = file.Flag("do_normalize", true),
            UsesMask = file.Flag("return_attention_mask", true),
            PaddingValue = (float)file.Number("padding_value", 0),
        });
    }

    /// <summary>A clip at the model's rate, normalised.</summary>
    public float[] Process(AudioClip clip) => AudioFeatureExtractor.Extract(
        [Resampler.Resample(clip, SampleRate).Samples], Options with { Padding = AudioPadding.None }).Values[0];

    /// <summary>The file.</summary>
    public byte[] ToBytes() => PublishedConfig.Of(new JsonObject
    {
        ["do_normalize"] = Options.Normalize,
        ["feature_extractor_type"] = "Wav2Vec2FeatureExtractor",
        ["feature_size"] = 1,
        ["padding_side"] = "right",
        ["padding_value"] = Options.PaddingValue,
        ["return_attention_mask"] = Options.UsesMask,
        ["sampling_rate"] = SampleRate,
    }).ToBytes();
}
