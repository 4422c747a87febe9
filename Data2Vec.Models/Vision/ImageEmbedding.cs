using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>Features of image files from a saved vision model.</summary>
public static class ImageEmbedding
{
    private const int BatchSize = 16;

    /// <summary>Reads image files and writes their features as .npy, and a .tsv that says whose each row is.</summary>
    /// <param name="model">Run folder, checkpoint or published folder of any vision class (a head is left out).</param>
    /// <param name="inputs">Image files, and folders of such.</param>
    /// <param name="output">
    /// Mean-pooled: [files, D], the mean of the patches; else [positions of all files, D], files one behind the other,
    /// the class token first.
    /// </param>
    /// <param name="meanPool">Average over the patches of an image.</param>
    /// <param name="deviceName">Where to compute.</param>
    /// <param name="threads">CPU threads.</param>
    /// <returns>What was written, as a sentence.</returns>
    /// <exception cref="InvalidDataException">A file is damaged; it is named.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static string Run(
        string model, IReadOnlyList<string> inputs, string output, bool meanPool, string deviceName, int threads)
    {
        var folder = PublishedFolder.Find(model);
        var files = InputFiles.Find(inputs, ImageFile.HasImageName, "image files");
        using var device = Device.Parse(deviceName, threads);
        using var store = new ParameterStore(device);
        var encoder = ((VisionModel)PublishedFolder.Load(folder, store, PublishedFamily.Vision.Bare)).Encoder;
        var processor = Processor(folder, encoder.Config);
        using var parameters = store.Student();
        var width = encoder.Config.Transformer.Width;
        var features = new FeatureFile(width);
        foreach (var paths in files.Chunk(processor.DoResize || processor.DoCentreCrop ? BatchSize : 1))
        {
            RgbImage[] images = [.. paths.Select(p => processor.Prepare(ImageFile.Read(p)))];
            var (height, across) = (images[0].Height, images[0].Width);
            var pixels = new float[paths.Length * height * across * 3];
            for (var i = 0; i < images.Length; i++)
                processor.Write(images[i], pixels.AsSpan(i * height * across * 3, height * across * 3));
            using var scope = device.Scope();
            var batch = Tensor.From<float>(device, pixels, new Shape(paths.Length, height, across, 3));
            var last = encoder.Forward(parameters, batch, null, default).Last;
            var (values, size) = (last.ToArray<float>(), last.Shape[1] * width);
            for (var i = 0; i < paths.Length; i++)
            {
                var own = values.AsSpan(i * size, size);
                features.Add(paths[i], meanPool ? own[width..] : own, meanPool);
            }
        }
        return features.Save(output, $"{files.Count} image files");
    }

    /// <summary>The folder's own, or that of the released models in the size of the encoder.</summary>
    private static ImageProcessor Processor(string folder, VisionEncoderConfig config)
    {
        if (config.Channels != 3)
            throw new InvalidDataException(
                $"{folder}: image files have 3 channels; the model reads {config.Channels}.");
        return File.Exists(Path.Combine(folder, ImageProcessorFile.Name)) ? ImageProcessorFile.Load(folder)
            : new ImageProcessor { Height = config.ImageHeight, Width = config.ImageWidth };
    }
}
