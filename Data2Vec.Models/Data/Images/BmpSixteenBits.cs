using System.Buffers.Binary;

namespace Data2Vec.Models.Data;

/// <summary>
/// BMP pictures of 5 or 6 bits per channel, widened as Pillow does it: trunc(v * 255 / 31). The decoder rounds
/// otherwise, by at most one level.
/// </summary>
internal static class BmpSixteenBits
{
    private const int BitFields = 3;

    /// <summary>Corrects decoded pixels; those of other BMP pictures are left alone.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="pixels">Decoded, three bytes each.</param>
    public static void Widen(ReadOnlySpan<byte> file, Span<byte> pixels)
    {
        // Header: 14 bytes of file, then size, width, height, planes, bits (28), compression (30); masks from 54.
        if (file.Length < 66 || BinaryPrimitives.ReadUInt16LittleEndian(file[28..]) != 16) return;
        var sixGreenBits = BinaryPrimitives.ReadUInt32LittleEndian(file[30..]) == BitFields
            && BinaryPrimitives.ReadUInt32LittleEndian(file[58..]) == 0x07E0;
        Span<byte> five = stackalloc byte[256];
        Span<byte> green = stackalloc byte[256];
        // The upper bits of the rounded value are the stored ones.
        for (var v = 0; v < 256; v++)
        {
            five[v] = (byte)((v >> 3) * 255 / 31);
            green[v] = sixGreenBits ? (byte)((v >> 2) * 255 / 63) : five[v];
        }
        for (var i = 0; i + 2 < pixels.Length; i += 3)
        {
            pixels[i] = five[pixels[i]];
            pixels[i + 1] = green[pixels[i + 1]];
            pixels[i + 2] = five[pixels[i + 2]];
        }
    }
}
