using System.Text.Json;
using Data2Vec.Engine.Serialization;

namespace Data2Vec.Models.Weights;

/// <summary>
/// The tensors of a published folder: model.safetensors, or shards that model.safetensors.index.json lists. Everything
/// is checked when it is opened; data is read when asked for.
/// </summary>
public sealed class PublishedFiles : IDisposable
{
    /// <summary>The file of all tensors.</summary>
    public const string SingleName = "model.safetensors";

    /// <summary>The list of shards.</summary>
    public const string IndexName = "model.safetensors.index.json";

    private readonly List<SafetensorsFile> open = [];
    private readonly Dictionary<string, SafetensorsFile> byName = new(StringComparer.Ordinal);

    private PublishedFiles(string source) => Source = source;

    /// <summary>The file or index that was opened, for messages.</summary>
    public string Source { get; }

    /// <summary>Stored names.</summary>
    public IReadOnlyCollection<string> Names => byName.Keys;

    /// <summary>Opens the weights of a folder.</summary>
    /// <exception cref="InvalidDataException">There are none, or index and shards do not agree.</exception>
    /// <exception cref="IOException">A file cannot be read or breaks the format.</exception>
    public static PublishedFiles Open(string folder)
    {
        var single = Path.Combine(folder, SingleName);
        if (File.Exists(single)) return OpenFile(single);
        var index = Path.Combine(folder, IndexName);
        if (!File.Exists(index))
            throw new InvalidDataException($"{folder} holds no weights: expected {SingleName} or {IndexName}.");
        var files = new PublishedFiles(index);
        try
        {
            files.OpenShards(folder, ReadIndex(index));
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Opens one file.</summary>
    /// <exception cref="IOException">The file cannot be read or breaks the format.</exception>
    public static PublishedFiles OpenFile(string path)
    {
        var files = new PublishedFiles(path);
        var file = SafetensorsFile.Open(path);
        files.open.Add(file);
        foreach (var entry in file.Entries) files.byName.Add(entry.Name, file);
        return files;
    }

    /// <summary>True where a file has the tensor.</summary>
    public bool Contains(string name) => byName.ContainsKey(name);

    /// <summary>The file that holds a tensor.</summary>
    /// <exception cref="InvalidDataException">None does.</exception>
    public SafetensorsFile FileOf(string name) => byName.TryGetValue(name, out var file)
        ? file
        : throw new InvalidDataException($"{Source} lacks the tensor {name}.");

    /// <summary>Type and shape of a tensor.</summary>
    public SafetensorsEntry this[string name] => FileOf(name)[name];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in open) file.Dispose();
        open.Clear();
        byName.Clear();
    }

    private void OpenShards(string folder, Dictionary<string, string> weightMap)
    {
        foreach (var shard in weightMap.Values.Distinct().Order(StringComparer.Ordinal))
        {
            // An index may come from anywhere: it must not lead out of its folder.
            if (shard != Path.GetFileName(shard) || !shard.EndsWith(".safetensors", StringComparison.Ordinal))
                throw new InvalidDataException(
                    $"{Source}: expected names of .safetensors files beside it; got {shard}.");
            var path = Path.Combine(folder, shard);
            if (!File.Exists(path)) throw new InvalidDataException($"{Source} lists {shard}, which is missing.");
            var file = SafetensorsFile.Open(path);
            open.Add(file);
            foreach (var entry in file.Entries)
            {
                if (weightMap.GetValueOrDefault(entry.Name) != shard)
                    throw new InvalidDataException($"{path} holds the tensor {entry.Name}, which {IndexName} does not "
                        + "list for this file.");
                byName.Add(entry.Name, file);
            }
        }
        foreach (var (name, shard) in weightMap)
            if (!Contains(name)) throw new InvalidDataException($"{Source} lists {name} in {shard}, which lacks it.");
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (var item in document.RootElement.GetProperty("weight_map").EnumerateObject())
            {
                map.Add(item.Name, item.Value.GetString()
                    ?? throw new InvalidOperationException($"{item.Name} is null"));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{path} must hold a JSON object with weight_map, from tensor to file name: "
                + $"{e.Message}");
        }
        if (map.Count == 0) throw new InvalidDataException($"{path} lists no tensor.");
        return map;
    }
}
