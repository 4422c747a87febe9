using System.Text.Json;
using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data;

public sealed class ImageProcessorTests
{
    [Test]
    public void Levels_become_minus_one_to_one_channel_last()
    {
        var image = new RgbImage(2, 1, [0, 51, 255, 255, 0, 102]);
        var values = new ImageProcessor { Width = 2, Height = 1 }.Process([image]);
        Assert.That(values, Is.EqualTo(new[] { -1, -0.6f, 1, 1, -1, -0.2f }).Within(1e-7f));
    }

    [Test]
    public void Pictures_of_a_batch_must_be_alike_where_nothing_makes_them_so()
    {
        var processor = new ImageProcessor { DoResize = false };
        Assert.That(() => processor.Process([new RgbImage(2, 2), new RgbImage(3, 2)]),
            Throws.ArgumentException.With.Message.Contains("picture 1 has 3 x 2"));
        Assert.That(() => processor.Process([]), Throws.ArgumentException);
        Assert.That(() => processor.Write(new RgbImage(2, 2), new float[11]), Throws.ArgumentException);
    }

    [Test]
    public void The_file_of_a_published_model_is_read()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, ImageProcessorFile.Name), """
            {"crop_size": 224, "do_center_crop": false, "do_normalize": true, "do_resize": true,
             "feature_extractor_type": "BeitFeatureExtractor", "image_mean": [0.5, 0.4, 0.3],
             "image_std": [0.5, 0.6, 0.7], "resample": 2, "size": 192, "do_rescale": false}
            """);
        var processor = ImageProcessorFile.Load(folder.Path);
        Assert.That((processor.Width, processor.Height), Is.EqualTo((192, 192)));
        Assert.That(processor.Filter, Is.EqualTo(ResizeFilter.Bilinear));
        Assert.That(processor.Mean, Is.EqualTo(new[] { 0.5, 0.4, 0.3 }));
        Assert.That(processor.RescaleFactor, Is.EqualTo(1));
    }

    [Test]
    public void What_is_written_is_read_again()
    {
        var processor = new ImageProcessor
        {
            DoResize = false, Width = 40, Height = 24, Filter = ResizeFilter.Lanczos, DoCentreCrop = true,
            CropWidth = 5, CropHeight = 6, RescaleFactor = 1 / 127.5, DoNormalise = false, Mean = [0.1, 0.2, 0.3],
            Deviation = [1 / 3.0, 1, 2],
        };
        using var json = JsonDocument.Parse(ImageProcessorFile.Write(processor));
        var read = ImageProcessorFile.Parse(json.RootElement);
        Assert.That(read.Mean, Is.EqualTo(processor.Mean));
        Assert.That(read.Deviation, Is.EqualTo(processor.Deviation));
        Assert.That(read with { Mean = processor.Mean, Deviation = processor.Deviation }, Is.EqualTo(processor));
    }

    [TestCase("[]", "JSON object")]
    [TestCase("{\"size\": \"large\"}", "size")]
    [TestCase("{\"size\": {\"height\": 3}}", "size")]
    [TestCase("{\"size\": 0}", "size")]
    [TestCase("{\"size\": 100000}", "size")]
    [TestCase("{\"resample\": 9}", "resample")]
    [TestCase("{\"resample\": 2.5}", "resample")]
    [TestCase("{\"do_resize\": 1}", "do_resize")]
    [TestCase("{\"image_mean\": [1, 2]}", "image_mean")]
    [TestCase("{\"image_std\": [1, 0, 1]}", "image_std")]
    [TestCase("{\"rescale_factor\": \"x\"}", "rescale_factor")]
    [TestCase("{", "")]
    public void A_wrong_file_is_refused_with_its_name(string json, string key)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, ImageProcessorFile.Name);
        File.WriteAllText(path, json);
        Assert.That(() => ImageProcessorFile.Load(folder.Path), Throws.InstanceOf<InvalidDataException>()
            .With.Message.StartsWith(path).And.Message.Contains(key));
    }

    [Test]
    public void What_is_missing_keeps_its_default()
    {
        using var json = JsonDocument.Parse("{\"size\": null, \"other\": 3}");
        Assert.That(ImageProcessorFile.Parse(json.RootElement), Is.EqualTo(new ImageProcessor
        {
            Mean = ImageProcessorFile.Parse(json.RootElement).Mean,
            Deviation = ImageProcessorFile.Parse(json.RootElement).Deviation,
        }).Using<ImageProcessor>((a, b) => a.ToString() == b.ToString()));
    }
}
