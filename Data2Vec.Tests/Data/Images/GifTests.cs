using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data;

/// <summary>GIF pictures made by hand: what is transparent or not covered keeps a colour of the palette.</summary>
public sealed class GifTests
{
    private static readonly byte[] Palette = [10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200];

    [Test]
    public void Transparent_pixels_keep_the_colour_of_their_index()
    {
        var image = ImageFile.Decode(Gif(2, 2, transparent: 1), "t.gif");
        Assert.That(image.Pixels, Is.EqualTo(Colours(0, 1, 2, 3)));
    }

    [Test]
    public void A_ground_shines_through_transparent_pixels_and_beside_the_frame()
    {
        var image = ImageFile.Decode(Gif(3, 2, transparent: 1), "t.gif", new ImageReadOptions { Ground = (7, 8, 9) });
        byte[] ground = [7, 8, 9];
        Assert.That(image.Pixels, Is.EqualTo(
            (byte[])[.. Colours(0), .. ground, .. ground, .. Colours(2), .. Colours(3), .. ground]));
    }

    [TestCase(-1, 0)]
    [TestCase(2, 2)]
    public void Pixels_beside_the_frame_have_the_transparent_index_or_the_first(int transparent, int expected)
    {
        var image = ImageFile.Decode(Gif(3, 2, transparent), "t.gif");
        Assert.That(image.Pixels, Is.EqualTo(Colours(0, 1, expected, 2, 3, expected)));
    }

    [Test]
    public void A_file_without_a_frame_is_refused()
    {
        var bytes = Gif(2, 2, -1);
        bytes[13 + 12] = 0x3B;
        Assert.That(() => ImageFile.Decode(bytes, "t.gif"), Throws.InstanceOf<InvalidDataException>()
            .With.Message.EqualTo("t.gif: byte 25 of the GIF file should begin a picture or an extension."));
    }

    private static byte[] Colours(params int[] indices) => [.. indices.SelectMany(i => Palette[(3 * i)..(3 * i + 3)])];

    /// <summary>A screen with a frame of 2 x 2 pixels of the indices 0 to 3 in its upper left corner.</summary>
    private static byte[] Gif(byte width, byte height, int transparent)
    {
        // LZW codes of 3 bits, lowest first: clear (4), 0, 1; then 4 bits are not reached: clear, 2, 3, end (5).
        var codes = new[] { 4, 0, 1, 4, 2, 3, 5 };
        var packed = codes.Select((c, i) => (long)c << (3 * i)).Sum();
        byte[] control = transparent < 0 ? [] : [0x21, 0xF9, 4, 1, 0, 0, (byte)transparent, 0];
        return
        [
            .. "GIF89a"u8, width, 0, height, 0, 0x81, 0, 0, .. Palette, .. control,
            0x2C, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 3, (byte)packed, (byte)(packed >> 8), (byte)(packed >> 16), 0, 0x3B,
        ];
    }
}
