using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>Features of audio files from a saved audio model.</summary>
public static class AudioEmbedding
{
    /// <summary>
    /// Reads audio files and writes their features as .npy, and a .tsv that says whose each row is. Every clip runs
    /// alone: a neighbour's padding would change its last frames.
    /// </summary>
    /// <param name="model">Run folder, checkpoint or published folder of any audio class (a head is left out).</param>
    /// <param name="inputs">WAV or FLAC files, and folders of such.</param>
    /// <param name="output">Mean-pooled: [files, D]; else [frames of all files, D], files one behind the other.</param>
    /// <param name="meanPool">Average over the frames of a file.</param>
    /// <param name="deviceName">Where to compute.</param>
    /// <param name="threads">CPU threads.</param>
    /// <returns>What was written, as a sentence.</returns>
    /// <exception cref="InvalidDataException">
    /// A file is damaged, or a clip is too short for a frame; it is named.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static string Run(
        string model, IReadOnlyList<string> inputs, string output, bool meanPool, string deviceName, int threads)
    {
        var folder = PublishedFolder.Find(model);
        var preprocessor = AudioPreprocessor.Load(folder);
        static bool IsAudio(string path) =>
            AudioFile.Extensions.Contains(Path.GetExtension(path).TrimStart('.').ToLowerInvariant());
        var files = InputFiles.Find(inputs, IsAudio, "audio files");
        using var device = Device.Parse(deviceName, threads);
        using var store = new ParameterStore(device);
        var encoder = ((AudioModel)PublishedFolder.Load(folder, store, PublishedFamily.Audio.Bare)).Encoder;
        using var parameters = store.Student();
        var features = new FeatureFile(encoder.Config.Transformer.Width);
        foreach (var path in files)
        {
            var samples = preprocessor.Process(AudioFile.Read(path));
            if (samples.Length < encoder.Config.FewestSamples)
            {
                throw new InvalidDataException($"{path} has {samples.Length} samples at {preprocessor.SampleRate} Hz; "
                    + $"the model takes at least {encoder.Config.FewestSamples}.");
            }
            using var scope = device.Scope();
            var waveform = Tensor.From<float>(device, samples, new Shape(1, samples.Length));
            var last = encoder.Forward(parameters, waveform, null, null, default).Last;
            features.Add(path, last.ToArray<float>(), meanPool);
        }
        return features.Save(output, $"{files.Count} audio files");
    }
}
