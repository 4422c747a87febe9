using System.Buffers.Binary;

namespace Data2Vec.Models.Data;

/// <summary>The markers of a JPEG file. Source: ITU-T T.81, annex B.</summary>
internal static class JpegMarkers
{
    private const byte Escape = 0xFF;
    private const byte StartOfScan = 0xDA;
    private const byte EndOfImage = 0xD9;
    private const byte Application1 = 0xE1;

    /// <summary>The start-of-image marker and the first byte of the next one.</summary>
    public static ReadOnlySpan<byte> Signature => [Escape, 0xD8, Escape];

    /// <summary>Goes from marker to marker up to the end of the image.</summary>
    /// <returns>The EXIF orientation.</returns>
    /// <exception cref="InvalidDataException">The file ends before its picture does.</exception>
    public static int Walk(ReadOnlySpan<byte> bytes)
    {
        var orientation = ExifOrientation.Upright;
        var at = 2;
        while (true)
        {
            var skipped = bytes[at..].IndexOf(Escape);
            if (skipped < 0 || at + skipped + 1 >= bytes.Length)
                throw new InvalidDataException("the file is cut: the JPEG picture has no end marker");
            at += skipped + 1;
            var marker = bytes[at];
            // A stuffed zero, a restart or a temporary marker has no content; several escapes may precede a marker.
            if (marker is 0 or 1 or Escape or (>= 0xD0 and <= 0xD8))
            {
                if (marker != Escape) at++;
                continue;
            }
            if (marker == EndOfImage) return orientation;
            at++;
            var length = bytes.Length - at < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            if (length < 2 || length > bytes.Length - at)
                throw new InvalidDataException($"the file is cut inside the JPEG segment at byte {at - 2}");
            var content = bytes.Slice(at + 2, length - 2);
            if (marker == Application1 && content.StartsWith("Exif\0\0"u8)) orientation = ExifOrientation.Read(content);
            if (marker == StartOfScan && content.IsEmpty)
                throw new InvalidDataException($"the JPEG scan at byte {at - 2} names no components");
            at += length;
        }
    }
}
