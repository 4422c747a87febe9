using System.Buffers.Binary;
using System.Diagnostics;
using Data2Vec.Models.Data;
using NUnit.Framework;
using SkiaSharp;

namespace Data2Vec.Tests.Data;

public sealed class ImageFileTests
{
    private static readonly string Files = Path.Combine(Fixtures.CopiedRoot, "image", "files");

    [Test]
    public void Damaged_files_are_read_or_refused_in_a_sentence_and_never_worse()
    {
        var damaged = new DamagedPictures(seed: 1);
        var originals = Directory.GetFiles(Files).Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToArray();
        var options = new ImageReadOptions { MostPixels = 1 << 20 };
        var watch = Stopwatch.StartNew();
        var (read, refused) = (0, 0);
        for (var round = 0; round < 300; round++)
            foreach (var original in originals)
            {
                var bytes = damaged.Damage(original);
                try
                {
                    Assert.That(ImageFile.Decode(bytes, "a.jpg", options).Pixels, Is.Not.Empty);
                    read++;
                }
                catch (InvalidDataException e)
                {
                    Assert.That(e.Message, Does.StartWith("a.jpg: ").And.EndWith("."));
                    refused++;
                }
            }
        TestContext.Out.WriteLine($"{read} read, {refused} refused in {watch.Elapsed.TotalSeconds:F1} s");
        Assert.That(read, Is.GreaterThan(3000));
        Assert.That(refused, Is.GreaterThan(3000));
    }

    [Test]
    public void Every_cut_of_a_file_is_refused([Values("jpg_444.jpg", "png_rgb.png", "webp_lossy.webp", "gif.gif",
        "bmp_24.bmp", "jpg_progressive_420.jpg", "png_palette4_trns.png")] string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Files, name));
        // The end chunk of PNG and the last byte of GIF carry nothing: without them the picture is still whole.
        var needed = bytes.Length - (name.StartsWith("png") ? 12 : name.StartsWith("gif") ? 2 : 0);
        for (var length = 0; length < needed; length += 1 + length / 40)
        {
            var cut = bytes[..length];
            Assert.That(() => ImageFile.Decode(cut, name), Throws.InstanceOf<InvalidDataException>(), $"{length}");
        }
        Assert.That(() => ImageFile.Decode(bytes[..(needed - 1)], name), Throws.InstanceOf<InvalidDataException>());
        Assert.That(() => ImageFile.Decode(bytes, name), Throws.Nothing);
    }

    [Test]
    public void A_picture_with_too_many_pixels_is_refused_before_it_is_allocated()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Files, "bmp_24.bmp"));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(18), 40_000);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(22), 30_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => ImageFile.Decode(bytes, "b.bmp"), Throws.InstanceOf<InvalidDataException>()
            .With.Message.EqualTo("b.bmp: the picture should have 40000 x 30000 pixels; at most 89478485 are read."));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));

        var small = File.ReadAllBytes(Path.Combine(Files, "png_rgb.png"));
        Assert.That(() => ImageFile.Decode(small, "c.png", new ImageReadOptions { MostPixels = 40 * 33 - 1 }),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("40 x 33"));
        var enough = new ImageReadOptions { MostPixels = 40 * 33 };
        Assert.That(ImageFile.Decode(small, "c.png", enough).Width, Is.EqualTo(40));
    }

    [Test]
    public void A_PNG_header_cannot_promise_more_than_its_data_may_hold()
    {
        var bytes = Encode(new RgbImage(8, 8), SKEncodedImageFormat.Png);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), 9000);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), 9000);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(29), DamagedPictures.Crc32(bytes.AsSpan(12, 17)));
        Assert.That(() => ImageFile.Decode(bytes, "d.png"), Throws.InstanceOf<InvalidDataException>()
            .With.Message.Contains("promises 9000 x 9000 pixels"));
    }

    [TestCase("", "the file is empty")]
    [TestCase("hello", "does not begin like")]
    [TestCase("RIFF____WAVE", "does not begin like")]
    [TestCase("GIF89a", "is cut")]
    public void Other_content_is_refused_with_the_name(string content, string expected)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "x.jpg");
        File.WriteAllText(path, content);
        Assert.That(() => ImageFile.Read(path), Throws.InstanceOf<InvalidDataException>()
            .With.Message.StartsWith(path + ": ").And.Message.Contains(expected));
    }

    [Test]
    public void A_missing_file_is_an_IO_error() => Assert.That(
        () => ImageFile.Read("/nowhere/x.png"), Throws.InstanceOf<IOException>().With.Message.Contains("x.png"));

    [Test]
    public void The_content_decides_and_not_the_name()
    {
        Assert.That(ImageFile.Read(Path.Combine(Fixtures.CopiedRoot, "image", "broken", "png_named.jpg")).Width,
            Is.EqualTo(40));
        Assert.That(ImageFile.HasImageName("a/b.JPeG"), Is.True);
        Assert.That(ImageFile.HasImageName("a/b.txt"), Is.False);
    }

    [TestCase("png_rgba.png")]
    [TestCase("webp_lossless_alpha.webp")]
    public void Alpha_is_dropped_or_blended_with_a_ground(string name)
    {
        var path = Path.Combine(Files, name);
        var dropped = ImageFile.Read(path);
        var black = ImageFile.Read(path, new ImageReadOptions { Ground = (0, 0, 0) });
        var white = ImageFile.Read(path, new ImageReadOptions { Ground = (255, 255, 255) });
        var transparent = 0;
        for (var i = 0; i < dropped.Pixels.Length; i++)
        {
            // What black lacks of the colour, white adds in proportion: alpha can be read from their difference.
            var alpha = 255 - (white.Pixels[i] - black.Pixels[i]);
            Assert.That(black.Pixels[i], Is.EqualTo(dropped.Pixels[i] * alpha / 255.0).Within(1.5));
            if (alpha < 200) transparent++;
        }
        Assert.That(transparent, Is.GreaterThan(dropped.Pixels.Length / 4));
        var opaque = Path.Combine(Files, "png_rgb.png");
        Assert.That(ImageFile.Read(opaque, new ImageReadOptions { Ground = (9, 9, 9) }).Pixels,
            Is.EqualTo(ImageFile.Read(opaque).Pixels));
    }

    [Test]
    public void Broken_EXIF_data_do_not_lose_the_picture()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Files, "jpg_orientation_6.jpg"));
        Assert.That(ImageFile.Decode(bytes, "e").Height, Is.EqualTo(21), "turned");
        var exif = bytes.AsSpan().IndexOf("Exif\0\0"u8) + 6;
        for (var at = exif; at < exif + 26; at++)
            foreach (var value in new byte[] { 0, 0xFF })
            {
                var changed = (byte[])bytes.Clone();
                changed[at] = value;
                Assert.That(() => ImageFile.Decode(changed, "e"), Throws.Nothing, $"byte {at}");
            }
    }

    internal static byte[] Encode(RgbImage image, SKEncodedImageFormat format, int quality = 100)
    {
        using var bitmap = new SKBitmap(
            new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var to = bitmap.GetPixelSpan();
        for (var i = 0; i < image.Width * image.Height; i++)
        {
            image.Pixels.AsSpan(i * 3, 3).CopyTo(to[(i * 4)..]);
            to[i * 4 + 3] = 255;
        }
        using var data = bitmap.Encode(format, quality);
        return data.ToArray();
    }
}
