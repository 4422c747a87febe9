using System.Text.Json;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Audio files, damaged ones, resampling, the feature extractor and cepstral features against the recorded results of
/// libsndfile, flac, soxr, transformers, torchaudio and python_speech_features.
/// </summary>
internal static class AudioSuite
{
    public static void Run(string folder, JsonElement manifest, SuiteReport report)
    {
        using var tensors = new RecordedTensors(folder);
        var files = new AudioFileChecks(folder, manifest, tensors);
        Each("wav", files.Wav);
        Each("wav_broken", files.BrokenWav);
        Each("flac", files.Flac);
        Each("flac_broken", files.BrokenFlac);
        Each("resample", item => AudioSignalChecks.Resampling(item, tensors["resample.safetensors"]));
        Each("extractor", item => AudioSignalChecks.Extractor(item, tensors["extractor.safetensors"]));
        Each("features", item => AudioSignalChecks.Features(item, tensors["features.safetensors"]));

        void Each(string group, Func<JsonElement, IEnumerable<Difference>> check)
        {
            foreach (var item in manifest.GetProperty(group).EnumerateArray())
                report.Run(group, item.GetProperty("name").GetString()!, () => check(item));
        }
    }
}
