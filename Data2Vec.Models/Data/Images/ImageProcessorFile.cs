using System.Text.Json;

namespace Data2Vec.Models.Data;

/// <summary>Reads and writes the <c>preprocessor_config.json</c> of a published model.</summary>
public static class ImageProcessorFile
{
    /// <summary>The file's name in a model's folder.</summary>
    public const string Name = "preprocessor_config.json";

    private static readonly JsonSerializerOptions Layout = new() { WriteIndented = true };

    /// <summary>Reads the file of a folder.</summary>
    /// <exception cref="InvalidDataException">The file is no such description; the message names it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ImageProcessor Load(string folder)
    {
        var path = Path.Combine(folder, Name);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return Parse(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException
            or KeyNotFoundException)
        {
            throw new InvalidDataException($"{path}: {error.Message.TrimEnd('.')}.", error);
        }
    }

    /// <summary>The file's content for a processor, with the keys that <see cref="Parse"/> reads.</summary>
    public static byte[] Write(ImageProcessor processor) => JsonSerializer.SerializeToUtf8Bytes(
        new Dictionary<string, object>
        {
            ["image_processor_type"] = "BeitImageProcessor",
            ["do_resize"] = processor.DoResize,
            ["size"] = new Dictionary<string, int> { ["height"] = processor.Height, ["width"] = processor.Width },
            ["resample"] = (int)processor.Filter,
            ["do_center_crop"] = processor.DoCentreCrop,
            ["crop_size"] =
                new Dictionary<string, int> { ["height"] = processor.CropHeight, ["width"] = processor.CropWidth },
            ["do_rescale"] = processor.RescaleFactor != 1,
            ["rescale_factor"] = processor.RescaleFactor,
            ["do_normalize"] = processor.DoNormalise,
            ["image_mean"] = processor.Mean,
            ["image_std"] = processor.Deviation,
            // Of BEiT's processor for segmentation; false is what every other picture needs.
            ["do_reduce_labels"] = false,
        }, Layout);

    /// <summary>
    /// Reads the keys of transformers: <c>do_resize</c>, <c>size</c> (one number, or height and width),
    /// <c>resample</c>, <c>do_center_crop</c>, <c>crop_size</c>, <c>do_rescale</c>, <c>rescale_factor</c>,
    /// <c>do_normalize</c>, <c>image_mean</c>, <c>image_std</c>. What is missing keeps its default; other keys are
    /// passed over.
    /// </summary>
    /// <exception cref="FormatException">A value is of the wrong kind or out of range.</exception>
    public static ImageProcessor Parse(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) throw new FormatException("expected a JSON object");
        var plain = new ImageProcessor();
        var (width, height) = Size(json, "size") ?? (plain.Width, plain.Height);
        var (cropWidth, cropHeight) = Size(json, "crop_size") ?? (plain.CropWidth, plain.CropHeight);
        return new ImageProcessor
        {
            DoResize = Flag(json, "do_resize", plain.DoResize),
            Width = width,
            Height = height,
            Filter = Filter(json, plain.Filter),
            DoCentreCrop = Flag(json, "do_center_crop", plain.DoCentreCrop),
            CropWidth = cropWidth,
            CropHeight = cropHeight,
            RescaleFactor = Flag(json, "do_rescale", true) ? Number(json, "rescale_factor", plain.RescaleFactor) : 1,
            DoNormalise = Flag(json, "do_normalize", plain.DoNormalise),
            Mean = Three(json, "image_mean", plain.Mean),
            Deviation = Three(json, "image_std", plain.Deviation),
        };
    }

    private static bool Flag(JsonElement json, string key, bool otherwise) => Value(json, key)?.ValueKind switch
    {
        null => otherwise,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new FormatException($"{key} must be true or false"),
    };

    private static double Number(JsonElement json, string key, double otherwise) => Value(json, key) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.Number } value when double.IsFinite(value.GetDouble()) => value.GetDouble(),
        _ => throw new FormatException($"{key} must be a finite number"),
    };

    private static ResizeFilter Filter(JsonElement json, ResizeFilter otherwise)
    {
        var number = Number(json, "resample", (int)otherwise);
        return number == Math.Floor(number) && Enum.IsDefined((ResizeFilter)(int)number)
            ? (ResizeFilter)(int)number
            : throw new FormatException(
                $"resample must be a number from 0 to 5, as Pillow counts its filters; got {number}");
    }

    private static (int Width, int Height)? Size(JsonElement json, string key)
    {
        if (Value(json, key) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number) return (Side(value, key), Side(value, key));
        if (value.ValueKind == JsonValueKind.Object && Value(value, "height") is { } height
            && Value(value, "width") is { } width)
            return (Side(width, key), Side(height, key));
        throw new FormatException($"{key} must be a number, or an object with height and width");
    }

    private static int Side(JsonElement value, string key) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var side) && side is >= 1 and <= 1 << 14
            ? side
            : throw new FormatException($"{key} must hold whole numbers from 1 to {1 << 14}");

    private static IReadOnlyList<double> Three(JsonElement json, string key, IReadOnlyList<double> otherwise)
    {
        if (Value(json, key) is not { } value) return otherwise;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != 3
            || value.EnumerateArray().Any(v => v.ValueKind != JsonValueKind.Number || !double.IsFinite(v.GetDouble())))
            throw new FormatException($"{key} must be a list of three numbers");
        double[] three = [.. value.EnumerateArray().Select(v => v.GetDouble())];
        if (key == "image_std" && three.Any(v => v <= 0)) throw new FormatException($"{key} must be above 0");
        return three;
    }

    private static JsonElement? Value(JsonElement json, string key) =>
        json.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
