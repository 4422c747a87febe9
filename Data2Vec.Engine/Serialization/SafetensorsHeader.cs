using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Data2Vec.Engine.Serialization;

/// <summary>
/// Reads the JSON header of a safetensors file and checks everything that the format promises. Its memory grows with
/// the bytes that are there, never with a number that they state.
/// </summary>
internal ref struct SafetensorsHeader
{
    /// <summary>The largest header that the format allows, in bytes.</summary>
    public const int MaxLength = 100_000_000;

    /// <summary>More dimensions than any array library has; bounds the memory of a hostile shape.</summary>
    public const int MaxRank = 64;

    private const string MetadataKey = "__metadata__";

    private readonly string file;
    private readonly Dictionary<string, SafetensorsEntry> entries = new(StringComparer.Ordinal);
    private Dictionary<string, string>? metadata;
    private Utf8JsonReader json;

    private SafetensorsHeader(string file, ReadOnlySpan<byte> header)
    {
        this.file = file;
        json = new Utf8JsonReader(header);
    }

    /// <summary>Parses a header and checks it against the bytes of data that follow it.</summary>
    public static (Dictionary<string, SafetensorsEntry> Entries, SafetensorsEntry[] InFileOrder,
        Dictionary<string, string> Metadata) Parse(string file, ReadOnlySpan<byte> header, long dataLength)
    {
        if (header.IsEmpty || header[0] != (byte)'{')
            throw new SafetensorsException($"{file}: the header must start with '{{'" +
                (header.IsEmpty ? ", but it is empty." : $"; got byte 0x{header[0]:X2}."));
        if (!Utf8.IsValid(header))
            throw new SafetensorsException($"{file}: the header must be valid UTF-8, and is not.");
        var parser = new SafetensorsHeader(file, header);
        try
        {
            parser.ReadAll();
        }
        catch (JsonException e)
        {
            throw new SafetensorsException(
                $"{file}: the header must be one valid JSON object; it breaks at byte {parser.json.BytesConsumed}.", e);
        }
        catch (InvalidOperationException e)
        {
            // What the JSON reader throws for an escaped half of a surrogate pair.
            throw new SafetensorsException(
                $"{file}: the text in the header near byte {parser.json.TokenStartIndex} must be valid Unicode, " +
                "and is not.", e);
        }
        return (parser.entries, parser.CheckLayout(dataLength), parser.metadata ?? []);
    }

    private void ReadAll()
    {
        json.Read();
        while (NextKey() is { } name)
        {
            if (name == MetadataKey) ReadMetadata();
            else if (!entries.TryAdd(name, ReadEntry(name))) throw Duplicate("tensor", name);
        }
        // Anything but white space after the object is an error that only a further read shows.
        json.Read();
    }

    private void ReadMetadata()
    {
        if (metadata is not null) throw Duplicate("key", MetadataKey);
        metadata = new(StringComparer.Ordinal);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
            throw Refuse($"{MetadataKey} must be an object of strings; got {Token()}");
        while (NextKey() is { } key)
        {
            json.Read();
            if (json.TokenType != JsonTokenType.String)
                throw Refuse($"the metadata {SafetensorsException.Quote(key)} must be a string; got {Token()}");
            if (!metadata.TryAdd(key, json.GetString()!)) throw Duplicate("metadata key", key);
        }
    }

    private SafetensorsEntry ReadEntry(string name)
    {
        SafetensorsType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
            throw Refuse(name, $"must be described by an object with dtype, shape and data_offsets; got {Token()}");
        while (NextKey() is { } key)
        {
            json.Read();
            if (key is "dtype" && type is null) type = ReadType(name);
            else if (key is "shape" && shape is null) shape = ReadIntegers(name, key, MaxRank);
            else if (key is "data_offsets" && offsets is null) offsets = ReadIntegers(name, key, 2);
            else if (key is "dtype" or "shape" or "data_offsets") throw Refuse(name, $"must have one {key}; got two");
            else throw Refuse(
                name, $"must have dtype, shape and data_offsets only; got {SafetensorsException.Quote(key)}");
        }
        if (type is null) throw Refuse(name, "must have a dtype, and has none");
        if (shape is null) throw Refuse(name, "must have a shape, and has none");
        if (offsets is null) throw Refuse(name, "must have data_offsets, and has none");
        if (offsets.Length != 2 || offsets[1] < offsets[0])
            throw Refuse(name, "must have data_offsets [begin, end] with begin <= end; got " +
                $"[{string.Join(", ", offsets)}]");
        var expected = ByteCount(name, type.Value, shape);
        if (offsets[1] - offsets[0] != expected)
            throw Refuse(name, $"of {type.Value.Name()} {SafetensorsEntry.ShapeText(shape)} needs {expected} bytes; " +
                $"its data_offsets [{offsets[0]}, {offsets[1]}] span {offsets[1] - offsets[0]}");
        return new SafetensorsEntry(name, type.Value, shape, offsets[0], offsets[1]);
    }

    private readonly SafetensorsType ReadType(string name)
    {
        if (json.TokenType != JsonTokenType.String) throw Refuse(name, $"must have a string as dtype; got {Token()}");
        var text = json.GetString()!;
        return SafetensorsTypes.TryParse(text, out var type) ? type : throw Refuse(name,
            $"has the unknown dtype {SafetensorsException.Quote(text)}; expected one of " +
            string.Join(", ", Enum.GetValues<SafetensorsType>().Select(t => t.Name())));
    }

    private long[] ReadIntegers(string name, string key, int most)
    {
        if (json.TokenType != JsonTokenType.StartArray)
            throw Refuse(name, $"must have a list of integers as {key}; got {Token()}");
        var values = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (values.Count == most) throw Refuse(name, $"must have at most {most} numbers in {key}; got more");
            // By digits, because 1.0, 1e3 and -0 are numbers to JSON and no integers to the format.
            if (json.TokenType != JsonTokenType.Number || json.ValueSpan.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
                throw Refuse(name, $"must have integers of at least 0 in {key}; got {Token()}");
            if (!json.TryGetInt64(out var value)) throw Refuse(name, $"has a number in {key} beyond 2^63: {Token()}");
            values.Add(value);
        }
        return [.. values];
    }

    private readonly long ByteCount(string name, SafetensorsType type, long[] shape)
    {
        try
        {
            long count = 1;
            foreach (var dimension in shape) count = checked(count * dimension);
            return checked(count * type.Size());
        }
        catch (OverflowException)
        {
            throw Refuse(name, $"of {type.Name()} has shape {SafetensorsEntry.ShapeText(shape)}; " +
                "expected a size below 2^63");
        }
    }

    /// <summary>The tensors must cover the data from its first byte to its last, each byte once.</summary>
    private readonly SafetensorsEntry[] CheckLayout(long dataLength)
    {
        // Empty tensors first where two begin together, so that they do not look like an overlap.
        SafetensorsEntry[] ordered = [.. entries.Values.OrderBy(e => e.Begin).ThenBy(e => e.End)];
        long end = 0;
        foreach (var entry in ordered)
        {
            if (entry.End > dataLength)
                throw Refuse(entry.Name, $"ends at byte {entry.End} of the data, but the file has only {dataLength} " +
                    "bytes of data: it is truncated or its header is wrong");
            if (entry.Begin != end)
                throw Refuse(entry.Name, $"must begin where the data before it ends, at byte {end}; it begins at " +
                    $"{entry.Begin}, which leaves {(entry.Begin > end ? "a hole" : "an overlap")}");
            end = entry.End;
        }
        return end == dataLength ? ordered : throw Refuse(
            $"the data must end at byte {end}, where the last tensor ends; the file has {dataLength - end} bytes more");
    }

    private string? NextKey()
    {
        json.Read();
        return json.TokenType == JsonTokenType.PropertyName ? json.GetString() : null;
    }

    private readonly string Token() => json.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.Number => json.ValueSpan.Length > 40
            ? "a number of " + json.ValueSpan.Length.ToString(CultureInfo.InvariantCulture) + " digits"
            : System.Text.Encoding.ASCII.GetString(json.ValueSpan),
        JsonTokenType.String => "a string",
        _ => json.TokenType.ToString().ToLowerInvariant(),
    };

    private readonly SafetensorsException Duplicate(string what, string name) =>
        Refuse($"the {what} {SafetensorsException.Quote(name)} must be there once; it is there twice");

    private readonly SafetensorsException Refuse(string name, string what) =>
        Refuse($"tensor {SafetensorsException.Quote(name)} {what}");

    private readonly SafetensorsException Refuse(string what) => new($"{file}: {what}.");
}
