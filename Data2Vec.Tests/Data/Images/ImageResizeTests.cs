using Data2Vec.Kernels;
using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data;

public sealed class ImageResizeTests
{
    [Test]
    public void Every_filter_agrees_with_the_formula_in_double_within_two_levels(
        [Values(ResizeFilter.Box, ResizeFilter.Bilinear, ResizeFilter.Hamming, ResizeFilter.Bicubic,
            ResizeFilter.Lanczos)] ResizeFilter filter,
        [Values(7, 31, 80)] int width, [Values(5, 23, 60)] int height)
    {
        // Levels away from 0 and 255, so that the clamp between the passes does nothing: two roundings remain.
        var image = Random(31, 23, 96, 64);
        var got = ImageResize.Resize(image, width, height, filter);
        var expected = Formula(image, width, height, filter);
        for (var i = 0; i < expected.Length; i++)
            Assert.That(got.Pixels[i], Is.EqualTo(expected[i]).Within(1.6), $"{i}");
    }

    [Test]
    public void A_flat_picture_stays_flat([Values] ResizeFilter filter, [Values(1, 3, 40)] int size)
    {
        var image = new RgbImage(9, 14);
        for (var i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)(i % 3 * 100 + 55);
        var got = ImageResize.Resize(image, size, size, filter);
        Assert.That(got.Pixels.Where((_, i) => i % 3 == 0), Is.All.EqualTo(55));
        Assert.That(got.Pixels.Where((_, i) => i % 3 == 2), Is.All.EqualTo(255));
    }

    [Test]
    public void The_same_size_gives_the_same_picture() =>
        Assert.That(ImageResize.Resize(Random(9, 7, 0, 256), 9, 7).Pixels, Is.EqualTo(Random(9, 7, 0, 256).Pixels));

    [Test]
    public void A_box_sees_beyond_its_edges_and_a_crop_does_not()
    {
        var image = Random(30, 30, 0, 256);
        var box = ImageResize.Resize(image, 10, 10, box: new ImageBox(5, 6, 25, 26));
        var crop = ImageResize.Resize(image.Crop(5, 6, 20, 20), 10, 10);
        Assert.That(Inner(box), Is.EqualTo(Inner(crop)));
        Assert.That(box.Pixels, Is.Not.EqualTo(crop.Pixels));
        static byte[] Inner(RgbImage image) => image.Crop(2, 2, 6, 6).Pixels;
    }

    [TestCase(0, 5, null)]
    [TestCase(5, -1, null)]
    [TestCase(5, 5, "0 0 11 8")]
    [TestCase(5, 5, "3 3 3 8")]
    [TestCase(5, 5, "-1 0 5 5")]
    [TestCase(5, 5, "0 NaN 5 5")]
    public void Impossible_sizes_and_boxes_are_refused(int width, int height, string? box)
    {
        var b = box?.Split(' ').Select(double.Parse).ToArray();
        Assert.That(() => ImageResize.Resize(new RgbImage(10, 8), width, height,
            box: b is null ? null : new ImageBox(b[0], b[1], b[2], b[3])), Throws.ArgumentException);
    }

    /// <summary>Uniform levels from lowest to lowest + range - 1.</summary>
    internal static RgbImage Random(int width, int height, int lowest, int range)
    {
        var random = new PhiloxStream(new RandomKey(3, 0, 0, 1));
        var image = new RgbImage(width, height);
        for (var i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)(lowest + random.NextInt(range));
        return image;
    }

    private static double[] Formula(RgbImage image, int width, int height, ResizeFilter filter)
    {
        var result = new double[width * height * 3];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var c = 0; c < 3; c++)
                {
                    var (sum, weights) = (0.0, 0.0);
                    for (var v = 0; v < image.Height; v++)
                        for (var u = 0; u < image.Width; u++)
                        {
                            var weight = Weight(filter, u, x, (double)image.Width / width)
                                * Weight(filter, v, y, (double)image.Height / height);
                            sum += weight * image.Pixels[(v * image.Width + u) * 3 + c];
                            weights += weight;
                        }
                    result[(y * width + x) * 3 + c] = sum / weights;
                }
        return result;
    }

    private static double Weight(ResizeFilter filter, int source, int target, double scale)
    {
        var x = (source + 0.5 - (target + 0.5) * scale) / Math.Max(scale, 1);
        var d = Math.Abs(x);
        static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
        return filter switch
        {
            ResizeFilter.Box => x is > -0.5 and <= 0.5 ? 1 : 0,
            ResizeFilter.Bilinear => Math.Max(0, 1 - d),
            ResizeFilter.Hamming => d < 1 ? Sinc(d) * (0.54 + 0.46 * Math.Cos(Math.PI * d)) : 0,
            ResizeFilter.Lanczos => d < 3 ? Sinc(d) * Sinc(d / 3) : 0,
            _ => d < 1 ? 1.5 * d * d * d - 2.5 * d * d + 1 : d < 2 ? -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2 : 0,
        };
    }
}
