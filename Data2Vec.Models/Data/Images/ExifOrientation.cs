using System.Buffers.Binary;

namespace Data2Vec.Models.Data;

/// <summary>
/// The tag of EXIF data that says how a camera was held (274 of the first directory), and what it asks for.
/// Source: CIPA DC-008 (Exif 2.32), TIFF 6.0.
/// </summary>
internal static class ExifOrientation
{
    /// <summary>Nothing has to be turned.</summary>
    public const int Upright = 1;

    private const ushort Tag = 0x0112;

    /// <summary>
    /// The orientation 1 to 8 that a block of TIFF data names; 1 where it names none or something else, as damaged
    /// EXIF data is no reason to lose a picture.
    /// </summary>
    public static int Read(ReadOnlySpan<byte> tiff)
    {
        if (tiff.StartsWith("Exif\0\0"u8)) tiff = tiff[6..];
        if (tiff.Length < 8) return Upright;
        var little = tiff.StartsWith("II*\0"u8);
        if (!little && !tiff.StartsWith("MM\0*"u8)) return Upright;
        long directory = Word(tiff[4..], little);
        if (directory + 2 > tiff.Length) return Upright;
        var entries = Half(tiff[(int)directory..], little);
        for (var i = 0; i < entries; i++)
        {
            var at = directory + 2 + 12L * i;
            if (at + 12 > tiff.Length) return Upright;
            var entry = tiff.Slice((int)at, 12);
            if (Half(entry, little) == Tag) return Value(entry, little) is >= 1 and <= 8 and var v ? (int)v : Upright;
        }
        return Upright;
    }

    /// <summary>The picture as it should be looked at.</summary>
    /// <param name="image">As stored.</param>
    /// <param name="orientation">
    /// 2 left and right exchanged, 3 a half turn, 4 top and bottom exchanged, 5 mirrored at the main diagonal,
    /// 6 a quarter turn to the right, 7 mirrored at the other diagonal, 8 a quarter turn to the left; else nothing.
    /// </param>
    public static RgbImage Apply(RgbImage image, int orientation)
    {
        if (orientation is <= Upright or > 8) return image;
        var exchanged = orientation >= 5;
        var result = exchanged ? new RgbImage(image.Height, image.Width) : new RgbImage(image.Width, image.Height);
        // Which way each side of the stored picture is walked, for one step along a row of the result.
        var fromRight = orientation is 2 or 3 or 7 or 8;
        var fromBottom = orientation is 3 or 4 or 6 or 7;
        for (var y = 0; y < result.Height; y++)
        {
            var row = result.Row(y);
            for (var x = 0; x < result.Width; x++)
            {
                var (column, line) = exchanged ? (y, x) : (x, y);
                if (fromRight) column = image.Width - 1 - column;
                if (fromBottom) line = image.Height - 1 - line;
                image.Pixels.AsSpan((line * image.Width + column) * 3, 3).CopyTo(row[(x * 3)..]);
            }
        }
        return result;
    }

    private static uint Value(ReadOnlySpan<byte> entry, bool little)
    {
        if (Word(entry[4..], little) != 1) return 0;
        return Half(entry[2..], little) switch
        {
            1 => entry[8],
            3 => Half(entry[8..], little),
            4 => Word(entry[8..], little),
            _ => 0,
        };
    }

    private static ushort Half(ReadOnlySpan<byte> bytes, bool little) => little
        ? BinaryPrimitives.ReadUInt16LittleEndian(bytes)
        : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private static uint Word(ReadOnlySpan<byte> bytes, bool little) => little
        ? BinaryPrimitives.ReadUInt32LittleEndian(bytes)
        : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
