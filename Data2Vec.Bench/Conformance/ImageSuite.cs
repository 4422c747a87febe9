using System.Text.Json;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Data;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Resizing, processors, crops, colour jitter and decoding as Pillow and transformers have them. Everything is compared
/// level by level; JPEG, which defines no bits, with the tolerance that the suite's README gives.
/// </summary>
internal static class ImageSuite
{
    public static void Run(string folder, JsonElement manifest, SuiteReport report)
    {
        using var tensors = new RecordedTensors(folder);
        var pictures = Pictures(tensors["pictures.safetensors"]);
        foreach (var item in Cases(manifest, "resize"))
            report.Run("resize", Name(item), () => [Levels(tensors["resize.safetensors"],
                item.GetProperty("tensor").GetString()!, Resize(pictures, item))]);
        foreach (var item in Cases(manifest, "crop_resize"))
            report.Run("crop_resize", Name(item), () => [Levels(tensors["resize.safetensors"], Name(item),
                CropAndResize(pictures, item))]);
        foreach (var item in Cases(manifest, "eval_transform"))
            report.Run("eval_transform", Name(item), () => [Levels(tensors["resize.safetensors"], Name(item),
                CentreCrop.Resize(Picture(pictures, item), item.GetProperty("resize").GetInt32(),
                    item.GetProperty("crop").GetInt32(), Filter(item)))]);
        foreach (var item in Cases(manifest, "jitter"))
            report.Run("jitter", Name(item), () => [Levels(tensors["jitter.safetensors"], Name(item),
                Jitter(Picture(pictures, item), item.GetProperty("ops")))]);
        foreach (var item in Cases(manifest, "processor"))
            report.Run("processor", Name(item), () => Processor(tensors["processor.safetensors"], pictures, item));
        ImageGeometryChecks.Run(folder, report);
        ImageDecodeChecks.Run(folder, manifest, tensors, report);
    }

    /// <summary>The levels of a picture against a recorded [H, W, 3] or [H, W] tensor, exactly.</summary>
    public static Difference Levels(
        SafetensorsFile file, string tensor, RgbImage got, double most = 0, double mean = double.PositiveInfinity)
    {
        var shape = file[tensor].Dimensions;
        if (shape[0] != got.Height || shape[1] != got.Width)
        {
            return new Difference(tensor, double.PositiveInfinity, 0,
                $"{got.Width} x {got.Height} pixels, expected {shape[1]} x {shape[0]}");
        }
        return Levels(tensor, got, file.Read<byte>(tensor), shape.Length == 2, most, mean);
    }

    /// <summary>As above, against levels of one or three channels.</summary>
    public static Difference Levels(
        string name, RgbImage got, ReadOnlySpan<byte> expected, bool grey, double most = 0,
        double mean = double.PositiveInfinity)
    {
        var (worst, sum) = (0, 0L);
        for (var i = 0; i < got.Pixels.Length; i++)
        {
            var difference = Math.Abs(got.Pixels[i] - expected[grey ? i / 3 : i]);
            worst = Math.Max(worst, difference);
            sum += difference;
        }
        var average = (double)sum / got.Pixels.Length;
        return average > mean
            ? new Difference(name + " mean", average, mean)
            : new Difference(name, worst, most);
    }

    public static IEnumerable<JsonElement> Cases(JsonElement manifest, string section) =>
        manifest.TryGetProperty(section, out var cases) ? cases.EnumerateArray() : [];

    public static string Name(JsonElement item) => item.GetProperty("name").GetString()!;

    private static Dictionary<string, RgbImage> Pictures(SafetensorsFile file) => file.Entries.ToDictionary(
        e => e.Name, e =>
        {
            var levels = file.Read<byte>(e.Name);
            if (e.Dimensions.Length == 2) levels = [.. levels.SelectMany(l => new[] { l, l, l })];
            return new RgbImage((int)e.Dimensions[1], (int)e.Dimensions[0], levels);
        });

    private static RgbImage Picture(Dictionary<string, RgbImage> pictures, JsonElement item) =>
        pictures[item.GetProperty("picture").GetString()!];

    private static ResizeFilter Filter(JsonElement item) =>
        Enum.Parse<ResizeFilter>(item.GetProperty("filter").GetString()!, ignoreCase: true);

    private static int[] Ints(JsonElement item, string name) =>
        [.. item.GetProperty(name).EnumerateArray().Select(v => v.GetInt32())];

    private static RgbImage Resize(Dictionary<string, RgbImage> pictures, JsonElement item)
    {
        var size = Ints(item, "size");
        var box = item.TryGetProperty("box", out var given) && given.ValueKind == JsonValueKind.Array
            ? new ImageBox(given[0].GetDouble(), given[1].GetDouble(), given[2].GetDouble(), given[3].GetDouble())
            : (ImageBox?)null;
        return ImageResize.Resize(Picture(pictures, item), size[0], size[1], Filter(item), box);
    }

    private static RgbImage CropAndResize(Dictionary<string, RgbImage> pictures, JsonElement item)
    {
        var (crop, size) = (Ints(item, "crop"), Ints(item, "size"));
        var part = Picture(pictures, item).Crop(crop[1], crop[0], crop[3], crop[2]);
        return ImageResize.Resize(part, size[1], size[0], Filter(item));
    }

    private static RgbImage Jitter(RgbImage image, JsonElement operations)
    {
        foreach (var operation in operations.EnumerateArray())
        {
            var factor = operation[1].GetDouble();
            image = operation[0].GetString() switch
            {
                "brightness" => ImageColour.Brightness(image, factor),
                "contrast" => ImageColour.Contrast(image, factor),
                "saturation" => ImageColour.Saturation(image, factor),
                "hue" => ImageColour.Hue(image, factor),
                "hflip" => image.FlipHorizontally(),
                var other => throw new NotExpressibleException($"the operation {other} is unknown"),
            };
        }
        return image;
    }

    /// <summary>
    /// The Pillow path, which is ours, to the last bits of float32; the torchvision path, which differs between its
    /// passes, within the difference of the two paths that the manifest gives.
    /// </summary>
    private static IEnumerable<Difference> Processor(
        SafetensorsFile file, Dictionary<string, RgbImage> pictures, JsonElement item)
    {
        var processor = ImageProcessorFile.Parse(item.GetProperty("kwargs"));
        var images = item.GetProperty("pictures").EnumerateArray().Select(p => pictures[p.GetString()!]).ToArray();
        var got = ChannelsFirst(processor.Process(images), images.Length);
        var between = item.GetProperty("max_difference_of_paths").GetDouble();
        foreach (var tensor in item.GetProperty("tensors").EnumerateArray().Select(t => t.GetString()!))
        {
            var expected = file.ReadDoubles(tensor);
            var exact = Comparison.Compare(tensor, got, expected, new Tolerance(Tolerance.Single));
            yield return tensor.EndsWith(".torch", StringComparison.Ordinal)
                ? exact with { Allowed = exact.Allowed + between }
                : exact;
        }
    }

    private static double[] ChannelsFirst(float[] values, int pictures)
    {
        var pixels = values.Length / pictures / 3;
        var result = new double[values.Length];
        for (var n = 0; n < pictures; n++)
            for (var c = 0; c < 3; c++)
                for (var p = 0; p < pixels; p++)
                    result[(n * 3 + c) * pixels + p] = values[(n * pixels + p) * 3 + c];
        return result;
    }
}
