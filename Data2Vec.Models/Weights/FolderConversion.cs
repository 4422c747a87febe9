using System.Globalization;
using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Weights;

/// <summary>How a published folder is written again.</summary>
/// <param name="Type">Element type; null = that of the files.</param>
/// <param name="MaximumShardBytes">Above, the weights are cut into shards.</param>
/// <param name="Bare">Without the head: the bare model's class and names.</param>
public sealed record ConversionOptions(
    SafetensorsType? Type = null, long MaximumShardBytes = WeightLayout.PublishedShardBytes, bool Bare = false);

/// <summary>
/// Reads a published folder of any class and writes it again in another layout: one file or shards, float32, float16 or
/// bfloat16, with or without its head. Old files come out new: buffers, tied copies and old fields are left behind.
/// Tensors pass one at a time.
/// </summary>
public static class FolderConversion
{
    /// <summary>Converts a folder.</summary>
    /// <param name="input">A published folder, a run folder or a checkpoint.</param>
    /// <param name="output">Must not exist, or be empty.</param>
    /// <param name="options">The new layout.</param>
    /// <returns>What was written, as a sentence.</returns>
    /// <exception cref="InvalidDataException">The folder breaks a rule; file, tensor or field is named.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static string Run(string input, string output, ConversionOptions? options = null)
    {
        options ??= new ConversionOptions();
        var folder = PublishedFolder.Find(input);
        var config = PublishedConfig.Read(Path.Combine(folder, PublishedFolder.ConfigName));
        using var files = PublishedFiles.Open(folder);
        // Declared for its names and shapes; nothing is allocated.
        using var device = new Device("reference", new ReferenceBackend());
        using var store = new ParameterStore(device);
        var parameters = PublishedClasses.Declare(config.Class, config, store, files).Parameters;
        var (sources, _) = PublishedReader.Match(files, parameters, StoredHead.Required);

        var map = parameters.Map;
        var family = map.Family;
        var bare = options.Bare && map.HasHead;
        var layout = new WeightLayout(options.Type ?? TypeOf(files, sources.Values), options.MaximumShardBytes);
        TensorToWrite[] tensors = [.. map.Tensors.Where(t => !bare || t.Part != PublishedPart.Head)
            .Where(sources.ContainsKey)
            .Select(t => new TensorToWrite(bare ? t.Name : map.StoredName(t), parameters.ShapeOf(t),
                () => files.FileOf(sources[t]).ReadSingles(sources[t])))];
        var name = bare ? family.Bare : map.Class;
        PublishedFolder.Save(output, config.With("architectures", new JsonArray(name)), tensors, layout, folder);
        return string.Create(CultureInfo.InvariantCulture, $"{name}: {tensors.Length} tensors, "
            + $"{tensors.Sum(t => t.Shape.Count)} parameters, {layout.TypeName} -> {output}");
    }

    /// <summary>The type of all tensors, or float32 where they differ or are wider.</summary>
    private static SafetensorsType TypeOf(PublishedFiles files, IEnumerable<string> names)
    {
        var types = names.Select(n => files[n].Type).Distinct().ToList();
        return types is [SafetensorsType.F16 or SafetensorsType.BF16] ? types[0] : SafetensorsType.F32;
    }
}
