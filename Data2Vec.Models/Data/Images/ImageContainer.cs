using System.Buffers.Binary;

namespace Data2Vec.Models.Data;

/// <summary>The picture formats that are read.</summary>
internal enum ImageFormat
{
    Jpeg,
    Png,
    WebP,
    Gif,
    Bmp,
}

/// <summary>
/// What the outside of a picture file says, found without decoding it: which format it is, how it must be turned, and
/// whether it is whole. The decoder repairs what it can without a word; a cut file shall be refused instead.
/// </summary>
/// <param name="Format">The format, by its signature and not by its name.</param>
/// <param name="Orientation">EXIF orientation, 1 to 8.</param>
internal readonly record struct ImageContainer(ImageFormat Format, int Orientation)
{
    /// <summary>Walks through a file.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="InvalidDataException">
    /// No known format, or the file is cut or damaged; the message goes on after the file's name.
    /// </exception>
    public static ImageContainer Inspect(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(JpegMarkers.Signature)) return new(ImageFormat.Jpeg, JpegMarkers.Walk(bytes));
        if (bytes.StartsWith(PngChunks.Signature)) return new(ImageFormat.Png, PngChunks.Walk(bytes));
        if (bytes.StartsWith("RIFF"u8) && bytes.Length >= 12 && bytes[8..].StartsWith("WEBP"u8))
            return new(ImageFormat.WebP, WebpOrientation(bytes));
        if (bytes.StartsWith("GIF87a"u8) || bytes.StartsWith("GIF89a"u8))
            return new(ImageFormat.Gif, ExifOrientation.Upright);
        if (bytes.StartsWith("BM"u8)) return new(ImageFormat.Bmp, ExifOrientation.Upright);
        throw new InvalidDataException(bytes.IsEmpty
            ? "the file is empty; expected a JPEG, PNG, WebP, GIF or BMP picture"
            : "the file does not begin like a JPEG, PNG, WebP, GIF or BMP picture");
    }

    /// <summary>RIFF: chunks of a name, a little-endian length and content padded to an even length.</summary>
    private static int WebpOrientation(ReadOnlySpan<byte> bytes)
    {
        var end = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) + 8L;
        if (end > bytes.Length)
            throw new InvalidDataException($"the file is cut: WebP says {end} bytes, {bytes.Length} are there");
        for (long at = 12; at + 8 <= end;)
        {
            var head = bytes[(int)at..];
            var length = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            if (at + 8 + length > end)
                throw new InvalidDataException($"a chunk of {length} bytes at byte {at} reaches beyond the WebP file");
            if (head.StartsWith("EXIF"u8)) return ExifOrientation.Read(head.Slice(8, (int)length));
            at += 8 + length + (length & 1);
        }
        return ExifOrientation.Upright;
    }
}
