using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Data;
using Data2Vec.Models.Weights;
using Data2Vec.Tests.Weights;
using NUnit.Framework;
using IOPath = System.IO.Path;

namespace Data2Vec.Tests.Models;

/// <summary>
/// Features of files are those of the encoder, file by file, whatever class and layout the folder has.
/// </summary>
public sealed class EmbeddingTests
{
    private TemporaryFolder temporary = null!;

    [SetUp]
    public void MakeFolder() => temporary = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => temporary.Dispose();

    [TestCase("Data2VecAudioModel", true)]
    [TestCase("Data2VecAudioForCTC", false)]
    public void Audio_files_and_folders_give_the_frames_of_each_file(string name, bool mean)
    {
        TinyModels.Save(At("saved"), name);
        FolderConversion.Run(At("saved"), At("model"), new(MaximumShardBytes: 700));
        File.WriteAllBytes(IOPath.Combine(At("model"), AudioPreprocessor.Name), AudioPreprocessor.Released.ToBytes());
        Directory.CreateDirectory(At("clips/deep"));
        SmallFiles.WriteWave(At("clips/b.wav"), 16000, 300, seed: 1);
        SmallFiles.WriteWave(At("clips/deep/c.WAV"), 8000, 200, seed: 2);
        SmallFiles.WriteWave(At("single.wav"), 16000, 90, seed: 3);
        File.WriteAllText(At("clips/readme.txt"), "no audio");

        var said = Embedding.Run(
            At("model"), [At("clips"), At("single.wav")], At("features.npy"), mean, "cpu", threads: 1);
        Assert.That(said, Does.Contain("3 audio files"));
        string[] files = [At("clips/b.wav"), At("clips/deep/c.WAV"), At("single.wav")];
        using var device = Device.Parse("cpu", 1);
        using var store = new ParameterStore(device);
        var encoder = ((AudioModel)PublishedFolder.Load(At("model"), store, "Data2VecAudioModel")).Encoder;
        using var view = store.Student();
        Compare(files, mean, path =>
        {
            var samples = AudioPreprocessor.Released.Process(AudioFile.Read(path));
            var waveform = Tensor.From<float>(device, samples, new Shape(1, samples.Length));
            return encoder.Forward(view, waveform, null, null, default).Last.ToArray<float>();
        }, device);
    }

    [Test]
    public void A_clip_too_short_for_a_frame_is_named()
    {
        TinyModels.Save(At("model"), "Data2VecAudioModel");
        SmallFiles.WriteWave(At("short.wav"), 16000, 19, seed: 1);
        Assert.That(() => AudioEmbedding.Run(At("model"), [At("short.wav")], At("f.npy"), true, "cpu", 1),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("short.wav has 19 samples")
                .And.Message.Contains("at least 20"));
    }

    [TestCase("Data2VecVisionModel", true)]
    [TestCase("Data2VecVisionForImageClassification", false)]
    public void Image_files_give_the_patches_of_each_file(string name, bool mean)
    {
        TinyModels.Save(At("model"), name);
        var processor = new ImageProcessor { Width = 16, Height = 16 };
        File.WriteAllBytes(IOPath.Combine(At("model"), ImageProcessorFile.Name), ImageProcessorFile.Write(processor));
        Assert.That(ImageProcessorFile.Load(At("model")).Height, Is.EqualTo(16));
        Directory.CreateDirectory(At("pictures"));
        string[] files = [.. Enumerable.Range(0, 18).Select(i => At($"pictures/{i:D2}.bmp"))];
        for (var i = 0; i < files.Length; i++) SmallFiles.WriteBitmap(files[i], 12 + i, 20, seed: (ulong)i);

        Embedding.Run(At("model"), [At("pictures")], At("features.npy"), mean, "cpu", threads: 1);
        using var device = Device.Parse("cpu", 1);
        using var store = new ParameterStore(device);
        var encoder = ((VisionModel)PublishedFolder.Load(At("model"), store, "Data2VecVisionModel")).Encoder;
        using var view = store.Student();
        Compare(files, mean, path =>
        {
            var pixels = processor.Process([ImageFile.Read(path)]);
            var batch = Tensor.From<float>(device, pixels, new Shape(1, 16, 16, 3));
            var last = encoder.Forward(view, batch, null, default).Last.ToArray<float>();
            return mean ? last[encoder.Config.Transformer.Width..] : last;
        }, device);
    }

    [Test]
    public void Documents_give_the_same_rows_from_a_head_in_shards_and_from_a_bare_file()
    {
        const string name = "Data2VecTextForTokenClassification";
        var config = TinyModels.Config(name).With("vocab_size", 2000).With("max_position_embeddings", 40);
        TinyModels.Save(At("saved"), name, config: config);
        foreach (var file in new[] { "vocab.json", "merges.txt" })
            File.Copy(Fixtures.Path("text", $"tokenizer/{file}"), IOPath.Combine(At("saved"), file));
        FolderConversion.Run(At("saved"), At("shards"), new(MaximumShardBytes: 700));
        FolderConversion.Run(At("saved"), At("bare"), new(Bare: true));
        File.WriteAllText(At("documents.txt"), "one document\nand another, a little longer\n");
        var features = new List<float[]>();
        foreach (var folder in new[] { "saved", "shards", "bare" })
        {
            Embedding.Run(At(folder), [At("documents.txt")], At("text.npy"), meanPool: true, "cpu", threads: 1);
            var (shape, values) = Npy.LoadSingles(At("text.npy"));
            Assert.That(shape, Is.EqualTo(new Shape(2, 8)));
            features.Add(values);
        }
        Assert.That(features[0].Any(x => x != 0));
        Assert.That(features[1], Is.EqualTo(features[0]));
        Assert.That(features[2], Is.EqualTo(features[0]));
        Assert.That(() => Embedding.Run(At("bare"), [At("a"), At("b")], At("text.npy"), true, "cpu", 1),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("one file of documents"));
    }

    [Test]
    public void A_folder_without_files_and_a_path_that_is_not_there_are_named()
    {
        TinyModels.Save(At("model"), "Data2VecVisionModel");
        Directory.CreateDirectory(At("empty"));
        Assert.That(() => ImageEmbedding.Run(At("model"), [At("empty")], At("f.npy"), true, "cpu", 1),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("empty holds no image files"));
        Assert.That(() => ImageEmbedding.Run(At("model"), [At("absent")], At("f.npy"), true, "cpu", 1),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("absent does not exist"));
    }

    [TestCase("{\"sampling_rate\": 0}", "sampling_rate")]
    [TestCase("{\"sampling_rate\": \"16k\"}", "sampling_rate")]
    [TestCase("{\"feature_size\": 80}", "feature_size")]
    [TestCase("{\"feature_extractor_type\": \"WhisperFeatureExtractor\"}", "feature_extractor_type")]
    [TestCase("{\"padding_side\": \"left\"}", "padding_side")]
    [TestCase("[]", "preprocessor_config.json")]
    [TestCase("{", "preprocessor_config.json")]
    public void An_audio_preprocessor_that_does_not_fit_is_refused_by_field(string json, string named)
    {
        File.WriteAllText(At(AudioPreprocessor.Name), json);
        Assert.That(() => AudioPreprocessor.Load(temporary.Path),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains(named));
    }

    private void Compare(string[] files, bool mean, Func<string, float[]> alone, Device device)
    {
        var (shape, values) = Npy.LoadSingles(At("features.npy"));
        var lines = File.ReadAllLines(At("features.tsv")).Skip(1).Select(l => l.Split('\t')).ToList();
        Assert.That(lines.Select(l => l[2]), Is.EqualTo(files));
        var width = shape[1];
        var row = 0;
        for (var i = 0; i < files.Length; i++)
        {
            using var scope = device.Scope();
            var own = alone(files[i]);
            float[] expected = mean
                ? [.. Enumerable.Range(0, width).Select(c => own.Where((_, k) => k % width == c).Average())] : own;
            var rows = expected.Length / width;
            Assert.That(lines[i][..2], Is.EqualTo([$"{row}", $"{rows}"]));
            var got = values.AsSpan(row * width, expected.Length).ToArray();
            Assert.That(got, Is.EqualTo(expected).Within(1e-6f), files[i]);
            row += rows;
        }
        Assert.That(shape[0], Is.EqualTo(row));
    }

    private string At(string name) => IOPath.Combine(temporary.Path, name);
}
