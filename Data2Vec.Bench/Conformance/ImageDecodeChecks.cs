using System.Text.Json;
using Data2Vec.Models.Data;

namespace Data2Vec.Bench.Conformance;

/// <summary>Encoded and broken files of the image suite.</summary>
internal static class ImageDecodeChecks
{
    // Of the suite's README: two correct JPEG decoders may differ by this, over chroma that is smoothed.
    private const double JpegMost = 4;
    private const double JpegMean = 0.3;

    private static readonly ImageReadOptions AsStored = new() { Upright = false };

    public static void Run(string folder, JsonElement manifest, RecordedTensors tensors, SuiteReport report)
    {
        foreach (var item in ImageSuite.Cases(manifest, "decode"))
            report.Run("decode", ImageSuite.Name(item), () => Decoded(folder, tensors, item));
        foreach (var item in ImageSuite.Cases(manifest, "broken"))
            report.Run("broken", ImageSuite.Name(item), () => [Broken(folder, tensors, item)]);
    }

    private static IEnumerable<Difference> Decoded(string folder, RecordedTensors tensors, JsonElement item)
    {
        var path = Path.Combine(folder, "files", ImageSuite.Name(item));
        var jpeg = item.GetProperty("compare").GetString() == "tolerance";
        var (most, mean) = jpeg ? (JpegMost, JpegMean) : (0, 0);
        foreach (var tensor in item.GetProperty("tensors").EnumerateArray().Select(t => t.GetString()!))
        {
            var upright = tensor.EndsWith(".oriented", StringComparison.Ordinal);
            var image = ImageFile.Read(path, upright ? null : AsStored);
            if (item.GetProperty("mode").GetString() is "I;16" or "I;16B" or "I")
                yield return UpperByte(path, image);
            else
                yield return ImageSuite.Levels(tensors["decode.safetensors"], tensor, image, most, mean);
        }
    }

    /// <summary>
    /// Pillow cuts 16-bit grey at 255, which the suite's README calls a quirk and asks for the upper byte instead. That
    /// byte is read from the file here, by a reader of this one kind of PNG.
    /// </summary>
    private static Difference UpperByte(string path, RgbImage image) =>
        ImageSuite.Levels("upper byte", image, SixteenBitGreyPng.UpperBytes(File.ReadAllBytes(path)), grey: true);

    /// <summary>
    /// What Pillow refuses must be refused, in one sentence that names the file. What it accepts must give the same
    /// levels, or be refused likewise (stricter is allowed).
    /// </summary>
    private static Difference Broken(string folder, RecordedTensors tensors, JsonElement item)
    {
        var name = ImageSuite.Name(item);
        var path = Path.Combine(folder, "broken", name);
        try
        {
            var image = ImageFile.Read(path, AsStored);
            if (item.GetProperty("pillow").GetString() == "accepted")
                return ImageSuite.Levels(tensors["broken.safetensors"], name + ".rgb", image, JpegMost, JpegMean);
            return new Difference("refusal", double.PositiveInfinity, 0, "accepted");
        }
        catch (InvalidDataException e)
        {
            var sentence = e.Message.StartsWith(path + ": ", StringComparison.Ordinal) && e.Message.EndsWith('.')
                && !e.Message.Contains('\n');
            return sentence
                ? new Difference("refusal", 0, 0)
                : new Difference("refusal", double.PositiveInfinity, 0, $"no sentence with the name: {e.Message}");
        }
    }
}
