using System.Text.Json.Nodes;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Weights;

/// <summary>
/// Writes preprocessor_config.json of a published vision folder; <see cref="ImageProcessorFile"/> reads it.
/// </summary>
public static class ImagePreprocessor
{
    /// <summary>The file.</summary>
    public static byte[] ToBytes(ImageProcessor processor) => PublishedConfig.Of(new JsonObject
    {
        ["crop_size"] = Size(processor.CropHeight, processor.CropWidth),
        ["do_center_crop"] = processor.DoCentreCrop,
        ["do_normalize"] = processor.DoNormalise,
        ["do_reduce_labels"] = false,
        ["do_rescale"] = processor.RescaleFactor != 1,
        ["do_resize"] = processor.DoResize,
        ["image_mean"] = Numbers(processor.Mean),
        ["image_processor_type"] = "BeitImageProcessor",
        ["image_std"] = Numbers(processor.Deviation),
        ["resample"] = (int)processor.Filter,
        ["rescale_factor"] = processor.RescaleFactor,
        ["size"] = Size(processor.Height, processor.Width),
    }).ToBytes();

    private static JsonObject Size(int height, int width) => new() { ["height"] = height, ["width"] = width };

    private static JsonArray Numbers(IEnumerable<double> values) => [.. values.Select(v => (JsonNode)v)];
}
