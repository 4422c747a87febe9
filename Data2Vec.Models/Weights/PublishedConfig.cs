using System.Text.Json;
using System.Text.Json.Nodes;

namespace Data2Vec.Models.Weights;

/// <summary>
/// config.json of a published folder. Fields are asked for by name and refused by name; what nobody asks for is kept as
/// it is when the folder is written again.
/// </summary>
public sealed class PublishedConfig
{
    /// <summary>No published size comes near it; a field above is a damaged or hostile file.</summary>
    private const int Largest = 1 << 24;

    private const int MostLayers = 1024;

    private readonly JsonElement root;

    private PublishedConfig(JsonElement root, string source)
    {
        this.root = root;
        Source = source;
    }

    /// <summary>Where it was read, for messages.</summary>
    public string Source { get; }

    /// <summary>The modality, by model_type.</summary>
    /// <exception cref="InvalidDataException">It is none of ours.</exception>
    public PublishedFamily Family => PublishedFamily.All.FirstOrDefault(f => f.ModelType == Text("model_type"))
        ?? throw new InvalidDataException($"{Source}: model_type must be one of "
            + $"{string.Join(", ", PublishedFamily.All.Select(f => f.ModelType))}; got "
            + $"{Text("model_type") ?? "none"}.");

    /// <summary>The first of architectures, or the bare class where there is none.</summary>
    public string Class => root.TryGetProperty("architectures", out var classes)
        && classes.ValueKind == JsonValueKind.Array && classes.GetArrayLength() > 0
        && classes[0].ValueKind == JsonValueKind.String ? classes[0].GetString()! : Family.Bare;

    /// <summary>Number of classes: entries of id2label, else num_labels, else 2.</summary>
    public int Labels => root.TryGetProperty("id2label", out var labels) && labels.ValueKind == JsonValueKind.Object
        ? labels.EnumerateObject().Count() : Whole("num_labels", 2);

    /// <summary>
    /// What the labels are: problem_type, else values where there is one label and classes where more.
    /// </summary>
    public ClassificationProblem Problem => Text("problem_type") switch
    {
        null => Labels == 1 ? ClassificationProblem.Regression : ClassificationProblem.OneOfMany,
        "regression" => ClassificationProblem.Regression,
        "single_label_classification" => ClassificationProblem.OneOfMany,
        "multi_label_classification" => ClassificationProblem.AnyOfMany,
        var other => throw new InvalidDataException($"{Source}: problem_type {other} is unknown."),
    };

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It cannot be read or is no JSON object.</exception>
    public static PublishedConfig Read(string path)
    {
        try
        {
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>Reads bytes; <paramref name="source"/> stands for the path in messages.</summary>
    /// <exception cref="InvalidDataException">They are no JSON object.</exception>
    public static PublishedConfig Parse(ReadOnlyMemory<byte> json, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException($"{source} must hold a JSON object.");
            CheckTexts(document.RootElement);
            return new PublishedConfig(document.RootElement.Clone(), source);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{source} is not valid JSON: {e.Message}");
        }
    }

    /// <summary>A configuration of our own making.</summary>
    public static PublishedConfig Of(JsonObject fields) =>
        new(JsonSerializer.SerializeToElement(fields), "config.json");

    /// <summary>A whole number of at least 0.</summary>
    /// <exception cref="InvalidDataException">
    /// It is missing (without a fallback), not whole, negative or absurd.
    /// </exception>
    public int Whole(string name, int? fallback = null)
    {
        if (!Find(name, out var value)) return fallback ?? throw Missing(name);
        return IsWhole(value, out var number) ? number
            : throw new InvalidDataException($"{Source}: the field {name} must be a whole number of at most {Largest}; "
                + $"got {value}.");
    }

    /// <summary>A number of layers.</summary>
    /// <exception cref="InvalidDataException">It is missing, 0 or absurd.</exception>
    public int Layers(string name) => Whole(name) is > 0 and <= MostLayers and var count
        ? count
        : throw new InvalidDataException(
            $"{Source}: the field {name} must be a number from 1 to {MostLayers}; got {Whole(name)}.");

    /// <summary>A finite number.</summary>
    /// <exception cref="InvalidDataException">It is missing (without a fallback) or no finite number.</exception>
    public double Number(string name, double? fallback = null)
    {
        if (!Find(name, out var value)) return fallback ?? throw Missing(name);
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw new InvalidDataException($"{Source}: the field {name} must be a number; got {value}.");
    }

    /// <summary>True or false.</summary>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public bool Flag(string name, bool fallback)
    {
        if (!Find(name, out var value)) return fallback;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
            : throw new InvalidDataException($"{Source}: the field {name} must be true or false; got {value}.");
    }

    /// <summary>A string, or null.</summary>
    public string? Text(string name) =>
        Find(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A list of whole numbers; a single one is a list of one.</summary>
    /// <exception cref="InvalidDataException">It is missing (without a fallback) or something else.</exception>
    public int[] WholeList(string name, int[]? fallback = null)
    {
        if (!Find(name, out var value)) return fallback ?? throw Missing(name);
        if (value.ValueKind == JsonValueKind.Number) return [Whole(name)];
        if (value.ValueKind != JsonValueKind.Array)
            throw new InvalidDataException($"{Source}: the field {name} must be a list of whole numbers; got {value}.");
        if (value.GetArrayLength() > MostLayers || value.EnumerateArray().Any(v => !IsWhole(v, out _)))
            throw new InvalidDataException($"{Source}: the field {name} must be a list of at most {MostLayers} whole "
                + $"numbers of at most {Largest} each.");
        return [.. value.EnumerateArray().Select(v => v.GetInt32())];
    }

    /// <summary>Refuses a field that is there with another value.</summary>
    /// <exception cref="InvalidDataException">It has another value.</exception>
    public void Require(string name, string value)
    {
        if (Find(name, out var found) && found.ToString() != value)
            throw new InvalidDataException($"{Source}: {name} must be {value}; got {found}.");
    }

    /// <summary>The same with a field set, or removed where the value is null.</summary>
    public PublishedConfig With(string name, JsonNode? value)
    {
        var copy = JsonObject.Create(root)!;
        copy.Remove(name);
        if (value is not null) copy[name] = value;
        return new PublishedConfig(JsonSerializer.SerializeToElement(copy), Source);
    }

    /// <summary>The file: fields by name.</summary>
    public byte[] ToBytes()
    {
        var sorted = new JsonObject();
        foreach (var field in root.EnumerateObject().OrderBy(f => f.Name, StringComparer.Ordinal))
            sorted[field.Name] = JsonSerializer.SerializeToNode(field.Value);
        return JsonSerializer.SerializeToUtf8Bytes(sorted, new JsonSerializerOptions { WriteIndented = true });
    }

    /// <summary>
    /// Broken UTF-8 and half surrogate pairs come out only when a text is asked for, so all are asked for at once.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is such a text.</exception>
    private static void CheckTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray()) CheckTexts(item);
                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    CheckTexts(property.Value);
                }
                break;
        }
    }

    private static bool IsWhole(JsonElement value, out int number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out number)
            && number is >= 0 and <= Largest;
    }

    private bool Find(string name, out JsonElement value) =>
        root.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private InvalidDataException Missing(string name) => new($"{Source}: the field {name} is missing.");
}
