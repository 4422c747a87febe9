using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Weights;

/// <summary>A tensor to be written: its values are asked for when its turn comes.</summary>
/// <param name="Name">Stored name.</param>
/// <param name="Shape">Published shape.</param>
/// <param name="Values">Float32 values, row-major.</param>
public sealed record TensorToWrite(string Name, Shape Shape, Func<float[]> Values);

/// <summary>How weights are laid out in files.</summary>
/// <param name="Type">F32, or F16 or BF16, to which values are rounded.</param>
/// <param name="MaximumShardBytes">Bytes of tensors in one file; above, the weights are cut into shards.</param>
public sealed record WeightLayout(
    SafetensorsType Type = SafetensorsType.F32, long MaximumShardBytes = WeightLayout.PublishedShardBytes)
{
    /// <summary>The published library's limit: 50 GB, so that all released models are one file.</summary>
    public const long PublishedShardBytes = 50_000_000_000;

    /// <summary>"float32", "float16" or "bfloat16": the field dtype of config.json.</summary>
    public string TypeName => Type switch
    {
        SafetensorsType.F32 => "float32",
        SafetensorsType.F16 => "float16",
        SafetensorsType.BF16 => "bfloat16",
        _ => throw new ArgumentException($"Weights are written as float32, float16 or bfloat16, not {Type.Name()}."),
    };
}

/// <summary>Writes weights with the names of published folders: one file, or shards and their index.</summary>
public static class PublishedWriter
{
    /// <summary>The student's tensors of a store.</summary>
    public static IEnumerable<TensorToWrite> TensorsOf(PublishedParameters parameters) =>
        parameters.Map.Tensors.Select(tensor => new TensorToWrite(
            parameters.Map.StoredName(tensor), parameters.ShapeOf(tensor), () => parameters.ReadSingles(tensor)));

    /// <summary>One file.</summary>
    /// <exception cref="InvalidDataException">A finite value has no place in the type; the tensor is named.</exception>
    public static void WriteFile(Stream stream, IEnumerable<TensorToWrite> tensors, SafetensorsType type)
    {
        var writer = new SafetensorsWriter();
        writer.SetMetadata("format", "pt");
        foreach (var tensor in tensors)
        {
            var dimensions = Array.ConvertAll(tensor.Shape.ToArray(), d => (long)d);
            writer.Add(tensor.Name, type, dimensions, s => s.Write(Bytes(tensor, type)));
        }
        writer.Write(stream);
    }

    /// <summary>model.safetensors in a folder, or shards and model.safetensors.index.json.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="InvalidDataException">A finite value has no place in the type; the tensor is named.</exception>
    public static void WriteFolder(string folder, IEnumerable<TensorToWrite> tensors, WeightLayout layout)
    {
        var shards = Cut([.. tensors], layout);
        var map = new JsonObject();
        long total = 0, count = 0;
        for (var i = 0; i < shards.Count; i++)
        {
            var name = shards.Count == 1 ? PublishedFiles.SingleName : string.Create(
                CultureInfo.InvariantCulture, $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors");
            using (var stream = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write))
            {
                WriteFile(stream, shards[i], layout.Type);
                stream.Flush(flushToDisk: true);
            }
            foreach (var tensor in shards[i])
            {
                map[tensor.Name] = name;
                count += tensor.Shape.Count;
                total += tensor.Shape.Count * layout.Type.Size();
            }
        }
        if (shards.Count == 1) return;
        var index = new JsonObject
        {
            ["metadata"] = new JsonObject { ["total_parameters"] = count, ["total_size"] = total },
            ["weight_map"] = map,
        };
        File.WriteAllBytes(Path.Combine(folder, PublishedFiles.IndexName), JsonSerializer.SerializeToUtf8Bytes(
            index, new JsonSerializerOptions { WriteIndented = true }));
    }

    /// <summary>Tensors in their order; one that is larger than a shard has one of its own.</summary>
    private static List<List<TensorToWrite>> Cut(List<TensorToWrite> tensors, WeightLayout layout)
    {
        var shards = new List<List<TensorToWrite>> { new() };
        long bytes = 0;
        foreach (var tensor in tensors)
        {
            var size = tensor.Shape.Count * layout.Type.Size();
            if (bytes > 0 && bytes + size > layout.MaximumShardBytes)
            {
                shards.Add([]);
                bytes = 0;
            }
            shards[^1].Add(tensor);
            bytes += size;
        }
        return shards;
    }

    private static byte[] Bytes(TensorToWrite tensor, SafetensorsType type)
    {
        var values = tensor.Values();
        if (type == SafetensorsType.F32) return MemoryMarshal.AsBytes<float>(values).ToArray();
        var bytes = new byte[2 * values.Length];
        var halves = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
        if (type == SafetensorsType.F16) Float16.Narrow(values, halves);
        else BFloat16.Narrow(values, MemoryMarshal.Cast<byte, BFloat16>(bytes.AsSpan()));
        // All ones in the exponent: an infinity that was a number before.
        var infinity = type == SafetensorsType.F16 ? 0x7C00 : 0x7F80;
        for (var i = 0; i < halves.Length; i++)
        {
            if ((halves[i] & 0x7FFF) == infinity && float.IsFinite(values[i]))
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                    $"{tensor.Name} holds {values[i]}, which is too large for {type.Name()}."));
            }
        }
        return bytes;
    }
}
