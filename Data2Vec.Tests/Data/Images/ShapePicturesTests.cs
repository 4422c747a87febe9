using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data;

public sealed class ShapePicturesTests
{
    [Test]
    public void A_picture_depends_on_kind_seed_number_and_side_alone([Values] PictureKind kind)
    {
        var many = ShapePictures.Generate(kind, 5, 40, 24);
        var again = ShapePictures.Generate(kind, 5, 40, 24);
        Assert.That(ShapePictures.Digest(again), Is.EqualTo(ShapePictures.Digest(many)));
        foreach (var number in new[] { 0, 7, 39 })
        {
            var alone = ShapePictures.Make(kind, 5, (uint)number, 24);
            Assert.That(alone.Image.Pixels, Is.EqualTo(many[number].Image.Pixels));
            Assert.That(alone.Coverage, Is.EqualTo(many[number].Coverage));
        }
        Assert.That(ShapePictures.Make(kind, 6, 0, 24).Image.Pixels, Is.Not.EqualTo(many[0].Image.Pixels));
    }

    [Test]
    public void Every_shape_texture_and_hue_is_equally_likely_and_ground_differs_from_object()
    {
        const int count = 6000;
        var pictures = ShapePictures.Generate(PictureKind.Textured, 1, count, 8);
        void Even<T>(Func<ShapePicture, T> of, int classes) where T : notnull
        {
            var counts = pictures.CountBy(of).ToArray();
            var expected = (double)count / classes;
            Assert.That(counts, Has.Length.EqualTo(classes));
            Assert.That(counts.Select(c => c.Value), Is.All.EqualTo(expected).Within(5 * Math.Sqrt(expected)));
        }
        Even(p => p.Shape, 6);
        Even(p => p.Texture, 8);
        Even(p => p.GroundTexture, 8);
        Even(p => p.Hue, 6);
        Even(p => p.GroundHue, 6);
        Assert.That(pictures.All(p => p.Texture != p.GroundTexture && p.Hue != p.GroundHue));
    }

    [Test]
    public void The_hue_of_a_place_is_the_hue_of_its_pixels()
    {
        var pictures = ShapePictures.Generate(PictureKind.Textured, 2, 500, 24);
        var (right, seen) = (0, 0);
        foreach (var picture in pictures)
            for (var patch = 0; patch < 36; patch++)
            {
                var place = picture.PlaceOf(patch, 4);
                if (place == PatchPlace.Edge) continue;
                seen++;
                if (HueOf(picture, patch) == picture.HueOf(place)) right++;
            }
        // Spots and noise near the border of two hues are the rest.
        Assert.That(right / (double)seen, Is.GreaterThan(0.9));
        Assert.That(seen, Is.InRange(500 * 18, 500 * 30));
    }

    [TestCase(PictureShape.Circle, 2.54)]
    [TestCase(PictureShape.Square, 2.43)]
    [TestCase(PictureShape.Triangle, 1.57)]
    [TestCase(PictureShape.Cross, 2.20)]
    [TestCase(PictureShape.Ring, 2.35)]
    public void Objects_have_the_area_of_their_shape(PictureShape shape, double area)
    {
        // Areas in squared radii: pi .9^2, (2 * .78)^2, 3 sqrt(3) .55^2, 4 * .33 * (2 - .33), pi (.98^2 - .46^2).
        var pictures = ShapePictures.Generate(PictureKind.Silhouettes, 3, 3000, 32);
        var share = pictures.Where(p => p.Shape == shape).Average(p => p.Coverage.Sum(c => c / 255.0)) / (32 * 32);
        // The mean of radius^2, uniform on .30 to .45; little of an object lies beyond the picture.
        const double radius = 0.1425;
        Assert.That(share, Is.EqualTo(area * radius).Within(0.05 * area * radius));
    }

    [Test]
    public void Silhouettes_are_told_apart_by_brightness_and_hardly_coloured()
    {
        foreach (var picture in ShapePictures.Generate(PictureKind.Silhouettes, 4, 200, 24))
        {
            var (inside, outside) = (Mean(picture, c => c > 250), Mean(picture, c => c < 5));
            Assert.That(Math.Abs(inside - outside), Is.GreaterThan(40));
        }
        static double Mean(ShapePicture picture, Func<byte, bool> wanted) => picture.Coverage
            .Select((c, i) => (c, i)).Where(p => wanted(p.c))
            .Average(p => picture.Image.Pixels.AsSpan(p.i * 3, 3).ToArray().Average(v => v));
    }

    [Test]
    public void Places_of_patches_follow_the_coverage()
    {
        var coverage = new byte[16];
        coverage.AsSpan(8, 8).Fill(255);
        coverage[2] = 128;
        var picture = new ShapePicture(new RgbImage(4, 4), coverage, 0, 0, 0, 1, 2);
        Assert.That(Enumerable.Range(0, 4).Select(p => picture.PlaceOf(p, 2)), Is.EqualTo(new[]
        {
            PatchPlace.Outside, PatchPlace.Edge, PatchPlace.Inside, PatchPlace.Inside,
        }));
        Assert.That(picture.HueOf(PatchPlace.Inside), Is.EqualTo(1));
        Assert.That(picture.HueOf(PatchPlace.Outside), Is.EqualTo(2));
        Assert.That(() => picture.PlaceOf(4, 2), Throws.ArgumentException);
        Assert.That(() => picture.PlaceOf(-1, 2), Throws.ArgumentException);
        Assert.That(() => picture.PlaceOf(0, 3), Throws.ArgumentException);
    }

    [TestCase(7)]
    [TestCase(1025)]
    public void A_side_out_of_range_is_refused(int side) => Assert.That(
        () => ShapePictures.Generate(PictureKind.Textured, 1, 1, side),
        Throws.InstanceOf<ArgumentOutOfRangeException>());

    private static int HueOf(ShapePicture picture, int patch)
    {
        Span<double> sums = stackalloc double[3];
        for (var y = 0; y < 4; y++)
            for (var x = 0; x < 12; x++)
                sums[x % 3] += picture.Image.Pixels[((patch / 6 * 4 + y) * 24 + patch % 6 * 4) * 3 + x];
        var (r, g, b) = (sums[0], sums[1], sums[2]);
        var (high, low) = (Math.Max(r, Math.Max(g, b)), Math.Min(r, Math.Min(g, b)));
        var range = high - low;
        var sextant = high == r ? (g - b) / range : high == g ? 2 + (b - r) / range : 4 + (r - g) / range;
        return (int)(sextant < 0 ? sextant + 6 : sextant) % 6;
    }
}
