using Data2Vec.Kernels;
using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data;

public sealed class ImageAugmentationTests
{
    [Test]
    public void Random_crops_fit_and_have_the_drawn_areas_and_ratios()
    {
        var random = Stream(1);
        var (areas, ratios) = (new List<double>(), new List<double>());
        for (var i = 0; i < 4000; i++)
        {
            var box = new RandomResizedCrop(0.2, 0.5).Draw(300, 300, random);
            Assert.That(box.Left >= 0 && box.Top >= 0 && box.Left + box.Width <= 300 && box.Top + box.Height <= 300);
            areas.Add(box.Width * box.Height / 90_000.0);
            ratios.Add(Math.Log((double)box.Width / box.Height));
        }
        // Uniform on (.2, .5) and on (ln 3/4, ln 4/3): five standard errors of the mean, and the rounding of the sides.
        Assert.That(areas.Average(), Is.EqualTo(0.35).Within(5 * 0.3 / Math.Sqrt(12 * 4000)));
        Assert.That(ratios.Average(), Is.Zero.Within(5 * 0.5754 / Math.Sqrt(12 * 4000)));
        Assert.That(areas.Min(), Is.InRange(0.19, 0.21));
        Assert.That(areas.Max(), Is.InRange(0.49, 0.51));
    }

    [Test]
    public void Corners_reach_every_place()
    {
        var crop = new RandomResizedCrop(0.25, 0.25, 1, 1);
        var random = Stream(2);
        var boxes = Enumerable.Range(0, 500).Select(_ => crop.Draw(6, 6, random));
        Assert.That(boxes.Select(b => (b.Left, b.Top)).ToHashSet(), Has.Count.EqualTo(16));
    }

    [TestCase(10, 300, 0, 143, 10, 13)]
    [TestCase(300, 10, 143, 0, 13, 10)]
    [TestCase(40, 50, 0, 0, 40, 50)]
    public void Impossible_areas_give_the_middle(int width, int height, int left, int top, int across, int down) =>
        Assert.That(new RandomResizedCrop(3, 4).Draw(width, height, Stream(3)),
            Is.EqualTo(new PixelBox(left, top, across, down)));

    [Test]
    public void What_comes_out_depends_on_the_stream_alone_and_has_the_wanted_size()
    {
        var image = ImageResizeTests.Random(40, 50, 0, 256);
        var before = (byte[])image.Pixels.Clone();
        var augmentation = new ImageAugmentation { Width = 24, Height = 16, Hue = 0.1 };
        var first = augmentation.Apply(image, Stream(4));
        Assert.That((first.Width, first.Height), Is.EqualTo((24, 16)));
        Assert.That(augmentation.Apply(image, Stream(4)).Pixels, Is.EqualTo(first.Pixels));
        Assert.That(augmentation.Apply(image, Stream(5)).Pixels, Is.Not.EqualTo(first.Pixels));
        Assert.That(image.Pixels, Is.EqualTo(before));
    }

    [Test]
    public void Without_changes_it_is_a_resize_and_with_a_sure_flip_a_mirror()
    {
        var image = ImageResizeTests.Random(40, 50, 0, 256);
        var none = new ImageAugmentation
        {
            Width = 20, Height = 20, Crop = null, Flip = 0, Brightness = 0, Contrast = 0, Saturation = 0,
        };
        var resized = ImageResize.Resize(image, 20, 20);
        Assert.That(none.Apply(image, Stream(6)).Pixels, Is.EqualTo(resized.Pixels));
        Assert.That((none with { Flip = 1 }).Apply(image, Stream(6)).Pixels,
            Is.EqualTo(resized.FlipHorizontally().Pixels));
    }

    [Test]
    public void Half_of_the_pictures_are_flipped_and_colours_vary_as_asked()
    {
        var image = new RgbImage(2, 1, [100, 100, 100, 120, 120, 120]);
        var augmentation = new ImageAugmentation { Width = 2, Height = 1, Crop = null, Contrast = 0, Saturation = 0 };
        var random = Stream(7);
        var seen = Enumerable.Range(0, 2000).Select(_ => augmentation.Apply(image, random).Pixels).ToArray();
        Assert.That(seen.Count(p => p[0] > p[3]), Is.EqualTo(1000).Within(5 * Math.Sqrt(500)));
        Assert.That(seen.Min(p => Math.Max(p[0], p[3])), Is.InRange(72, 73));
        Assert.That(seen.Max(p => Math.Max(p[0], p[3])), Is.InRange(166, 168));
    }

    private static PhiloxStream Stream(ulong seed) => new(new RandomKey(seed, 0, 0, 9));
}
