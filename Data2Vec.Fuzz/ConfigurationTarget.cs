using System.Text;
using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Configuration;
using Data2Vec.Models.Data;
using Data2Vec.Models.Text;
using Data2Vec.Models.Weights;

namespace Data2Vec.Fuzz;

/// <summary>
/// Settings of runs (YAML), and the JSON and text files beside published weights: every reader is given every file.
/// </summary>
internal static class ConfigurationTarget
{
    // A model of 1024 layers is declared, not allocated: names, shapes and modules.
    private const long Declared = 64 << 20;

    private static readonly PretrainConfig[] Presets =
        [new TextPretrainConfig(), new VisionPretrainConfig(), new AudioPretrainConfig()];

    /// <summary>The target.</summary>
    public static FuzzTarget Create()
    {
        var scratch = ScratchFile.Shared;
        var processor = scratch.FolderWith(ImageProcessorFile.Name);
        var index = scratch.FolderWith(PublishedFiles.IndexName);
        var vocabulary = scratch.FolderWith("vocab.json", ("merges.txt", "#version: 0.2\na b\n"));
        var merges = scratch.FolderWith("merges.txt", ("vocab.json", """{"a":0,"b":1,"ab":2,"abb":3}"""));
        return new("configuration",
        [
            // The first of these fills the file that the others find.
            .. Presets.Select((preset, i) => new HostileReading(preset.Modality, typeof(ConfigException), bytes =>
            {
                if (i == 0) scratch.Holding(bytes);
                ConfigKeys.ApplyFile(preset, scratch.Path).Check();
            }) { PerByte = 256 }),
            new("config.json", typeof(InvalidDataException), Declare) { Constant = Declared, PerByte = 64 },
            new("image processor", typeof(InvalidDataException), _ => ImageProcessorFile.Load(processor)),
            new("audio processor", typeof(InvalidDataException), _ => AudioPreprocessor.Load(processor)),
            new("index", typeof(InvalidDataException), _ => PublishedFiles.Open(index).Dispose()) { PerByte = 64 },
            new("vocabulary", typeof(InvalidDataException), _ => BpeVocabulary.Load(vocabulary)) { PerByte = 256 },
            new("merges", typeof(InvalidDataException), _ => BpeVocabulary.Load(merges)) { PerByte = 256 },
        ])
        {
            Fixtures = [("models/cases/vision_odd_pixels", "config.json")],
            OwnSeeds = [.. Seeds().Select(Encoding.UTF8.GetBytes)],
            Words = [.. Keys(), .. Presets.SelectMany(ConfigKeys.Of).Distinct().Select(k => k + ": "), "---\n", "...\n",
                "!!str ", "&a ", "*a", "|\n ", ">\n ", "%YAML 1.2\n", "%TAG ! tag:\n", "? ", "- ", "<<: ", "\\uD800",
                "\"\\U00110000\"", "#version: 0.2\n", "\u00EF\u00BB\u00BF"],
        };
    }

    private static void Declare(byte[] bytes)
    {
        var config = PublishedConfig.Parse(bytes, "f");
        using var device = new Device("reference", new ReferenceBackend());
        using var store = new ParameterStore(device);
        PublishedClasses.Declare(config.Class, config, store);
        _ = config.Problem;
    }

    private static IEnumerable<string> Seeds()
    {
        foreach (var preset in Presets)
        {
            yield return string.Concat(
                ConfigKeys.Print(preset).Split('\n').Where(l => !l.StartsWith('#')).Select(l => l + "\n"));
        }
        yield return "steps: 3\n";
        yield return "{steps: 3, \"seed\": 1}";
        yield return "%YAML 1.2\n---\nsteps: !!int 3 # three\npreset: &a \"t\\x41\"\n...\n";
        yield return "preset: |\n  a\n  b\nschedule: >-\n cosine\n";
        yield return "'steps': *a\n---\n- 1\n";
        foreach (var name in PublishedClasses.Names)
        {
            var family = PublishedFamily.OfClass(name);
            var config = family == PublishedFamily.Text ? PublishedText.WriteConfig(new TextPretrainConfig().Encoder(9))
                : family == PublishedFamily.Vision ? PublishedVision.WriteConfig(new VisionPretrainConfig().Encoder())
                : PublishedAudio.WriteConfig(new AudioPretrainConfig().Encoder());
            yield return Encoding.UTF8.GetString(
                PublishedConfig.Parse(config, "f").With("architectures", new JsonArray(name)).ToBytes());
        }
        yield return Encoding.UTF8.GetString(AudioPreprocessor.Released.ToBytes());
        yield return Encoding.UTF8.GetString(ImageProcessorFile.Write(new ImageProcessor()));
        yield return """{"metadata":{},"weight_map":{"a":"one.safetensors"}}""";
        yield return """{"a":0,"b":1,"ab":2}""";
        yield return "#version: 0.2\na b\nab b\n";
    }

    /// <summary>Names and values in the JSON files.</summary>
    private static IEnumerable<string> Keys() => Seeds().Where(s => s.StartsWith('{'))
        .SelectMany(s => s.Split('"').Where((_, i) => i % 2 == 1)).Where(w => w.Length > 1).Distinct()
        .Select(w => $"\"{w}\"").Concat(["\"num_hidden_layers\":1024,", "\"hidden_size\":", "16777216", "[1,2]", "null",
            "true", "\"gelu\"", "\"conv_dim\":", "\"conv_kernel\":", "\"image_size\":", "\"patch_size\":", "1e999"]);
}
