using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Data2Vec.Kernels;

namespace Data2Vec.Engine.Serialization;

/// <summary>
/// Writes safetensors. The bytes depend on the tensors and the metadata only: metadata by name; tensors by element
/// size, largest first, then by name, so that each begins at a multiple of its element size; no time, no version.
/// </summary>
public sealed class SafetensorsWriter
{
    private const int Alignment = 8;
    private const string MetadataKey = "__metadata__";

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly Dictionary<string, Item> items = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> metadata = new(StringComparer.Ordinal);

    /// <summary>Adds or replaces a metadata string.</summary>
    /// <exception cref="ArgumentException">The key or the value is not valid Unicode.</exception>
    public void SetMetadata(string key, string value)
    {
        CheckText(key);
        CheckText(value);
        metadata[key] = value;
    }

    /// <summary>Adds a tensor of row-major elements; the memory is read when the file is written.</summary>
    /// <exception cref="ArgumentException">
    /// The name is taken, reserved or not valid Unicode, or the number of values does not fit the shape.
    /// </exception>
    public void Add<T>(string name, Shape shape, ReadOnlyMemory<T> values)
        where T : unmanaged
    {
        if (values.Length != shape.Count)
            throw new ArgumentException(
                $"Tensor \"{name}\": shape {shape} needs {shape.Count} values; got {values.Length}.");
        Span<long> dimensions = stackalloc long[shape.Rank];
        for (var i = 0; i < dimensions.Length; i++) dimensions[i] = shape[i];
        Add(name, SafetensorsTypes.Of<T>(), dimensions, stream => WriteValues(stream, values.Span));
    }

    /// <summary>
    /// Adds a tensor whose bytes <paramref name="write"/> gives when the file is written: row-major, little-endian.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The name is taken, reserved or not valid Unicode, or the shape is negative, too long or beyond 2^63 bytes.
    /// </exception>
    public void Add(string name, SafetensorsType type, ReadOnlySpan<long> dimensions, Action<Stream> write)
    {
        CheckText(name);
        if (name == MetadataKey) throw new ArgumentException($"The name {MetadataKey} is reserved by the format.");
        if (dimensions.Length > SafetensorsHeader.MaxRank)
            throw new ArgumentException($"Tensor \"{name}\": expected at most {SafetensorsHeader.MaxRank} " +
                $"dimensions; got {dimensions.Length}.");
        long count = 1;
        foreach (var dimension in dimensions)
        {
            if (dimension < 0 || (dimension > 0 && count > long.MaxValue / type.Size() / dimension))
                throw new ArgumentException($"Tensor \"{name}\": the shape " +
                    $"{SafetensorsEntry.ShapeText(dimensions)} must not be negative nor reach 2^63 bytes in all.");
            count *= dimension;
        }
        var bytes = count * type.Size();
        if (!items.TryAdd(name, new Item(name, type, dimensions.ToArray(), bytes, write)))
            throw new ArgumentException($"A tensor \"{name}\" has already been added.");
    }

    /// <summary>Writes the file to a stream.</summary>
    /// <exception cref="InvalidOperationException">
    /// The header exceeds 100,000,000 bytes, or a tensor gave another number of bytes than its shape needs.
    /// </exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public void Write(Stream stream)
    {
        Item[] ordered = [.. items.Values
            .OrderByDescending(i => i.Type.Size()).ThenBy(i => i.Name, StringComparer.Ordinal)];
        var header = Header(ordered);
        // Spaces at the end bring the data to a multiple of 8 bytes; JSON ignores them.
        var padding = (Alignment - header.Length % Alignment) % Alignment;
        if (header.Length + padding > SafetensorsHeader.MaxLength)
            throw new InvalidOperationException(
                $"The header would have {header.Length} bytes; the format allows {SafetensorsHeader.MaxLength}.");
        Span<byte> ends = stackalloc byte[Alignment];
        BinaryPrimitives.WriteUInt64LittleEndian(ends, (ulong)(header.Length + padding));
        stream.Write(ends);
        stream.Write(header);
        ends.Fill((byte)' ');
        stream.Write(ends[..padding]);
        foreach (var item in ordered)
        {
            var counted = new CountingStream(stream);
            item.Write(counted);
            if (counted.Count != item.Bytes)
                throw new InvalidOperationException(
                    $"Tensor \"{item.Name}\" must give {item.Bytes} bytes; it gave {counted.Count}.");
        }
    }

    /// <summary>Writes the file at a path, replacing what is there.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        Write(stream);
    }

    private ReadOnlySpan<byte> Header(Item[] ordered)
    {
        var buffer = new ArrayBufferWriter<byte>();
        // The relaxed encoder leaves letters of all scripts as they are; a header is never shown in a web page.
        using (var json = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long begin = 0;
            foreach (var item in ordered)
            {
                json.WriteStartObject(item.Name);
                json.WriteString("dtype", item.Type.Name());
                json.WriteStartArray("shape");
                foreach (var dimension in item.Dimensions) json.WriteNumberValue(dimension);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begin);
                json.WriteNumberValue(begin = checked(begin + item.Bytes));
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan;
    }

    private static void WriteValues<T>(Stream stream, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        // In parts, because the bytes of one span must stay below 2^31.
        const int part = 1 << 24;
        for (var i = 0; i < values.Length; i += part)
            stream.Write(MemoryMarshal.AsBytes(values.Slice(i, Math.Min(part, values.Length - i))));
    }

    private static void CheckText(string text)
    {
        try
        {
            Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException(
                $"The text {SafetensorsException.Quote(text)} must be valid Unicode; it has half a surrogate pair.", e);
        }
    }

    private sealed record Item(string Name, SafetensorsType Type, long[] Dimensions, long Bytes, Action<Stream> Write);
}
