using System.Buffers.Binary;

namespace Data2Vec.Models.Data;

/// <summary>
/// The first frame of a GIF file, prepared so that a decoder gives the colour of transparent pixels too: alpha is
/// dropped in every format, and the decoder would give black there. Source: GIF89a specification (CompuServe, 1990).
/// </summary>
/// <param name="Bytes">The file, without the transparency flag of its first frame.</param>
/// <param name="Background">Colour of the pixels that the frame does not cover; null = as decoded.</param>
internal readonly record struct GifFirstFrame(byte[] Bytes, (byte Red, byte Green, byte Blue)? Background)
{
    private const byte Extension = 0x21;
    private const byte GraphicControl = 0xF9;
    private const byte ImageDescriptor = 0x2C;

    /// <summary>Walks to the first frame.</summary>
    /// <param name="bytes">The whole file; not changed.</param>
    /// <exception cref="InvalidDataException">The file ends before its first frame, or has none.</exception>
    public static GifFirstFrame Find(byte[] bytes)
    {
        var (control, transparent) = (-1, 0);
        var at = 13 + TableLength(bytes, 10);
        while (At(bytes, at) == Extension)
        {
            if (At(bytes, at + 1) == GraphicControl && At(bytes, at + 2) == 4)
                (control, transparent) = (at + 3, At(bytes, at + 6));
            at += 2;
            while (At(bytes, at) is > 0 and var length) at += length + 1;
            at++;
        }
        if (At(bytes, at) != ImageDescriptor)
            throw new InvalidDataException($"byte {at} of the GIF file should begin a picture or an extension");
        if (BinaryPrimitives.ReadUInt16LittleEndian(Part(bytes, at + 5, 2)) == 0
            || BinaryPrimitives.ReadUInt16LittleEndian(Part(bytes, at + 7, 2)) == 0)
            throw new InvalidDataException("the first frame of the GIF file has no pixels");

        var flagged = control >= 0 && (bytes[control] & 1) != 0;
        var table = TableLength(bytes, at + 9) > 0 ? at + 10 : 13;
        var entry = table + 3 * (flagged ? transparent : 0);
        var inside = entry + 3 <= table + TableLength(bytes, table == 13 ? 10 : at + 9);
        var background = inside ? (bytes[entry], bytes[entry + 1], bytes[entry + 2]) : default;
        if (!flagged) return new(bytes, background);
        var opaque = (byte[])bytes.Clone();
        opaque[control] &= 0xFE;
        return new(opaque, background);
    }

    /// <summary>Bytes of the colour table that a packed field announces; 0 where there is none.</summary>
    private static int TableLength(byte[] bytes, int packed)
    {
        var flags = At(bytes, packed);
        if ((flags & 0x80) == 0) return 0;
        var length = 3 << ((flags & 7) + 1);
        _ = Part(bytes, packed + (packed == 10 ? 3 : 1), length);
        return length;
    }

    private static byte At(byte[] bytes, int at) => Part(bytes, at, 1)[0];

    private static ReadOnlySpan<byte> Part(byte[] bytes, int at, int length) => at + length <= bytes.Length
        ? bytes.AsSpan(at, length)
        : throw new InvalidDataException($"the file is cut: the GIF picture goes on after its {bytes.Length} bytes");
}
