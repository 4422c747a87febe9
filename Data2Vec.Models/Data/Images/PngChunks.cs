using System.Buffers.Binary;

namespace Data2Vec.Models.Data;

/// <summary>The chunks of a PNG file. Source: the PNG specification, third edition (W3C).</summary>
internal static class PngChunks
{
    // Deflate turns at most 258 bytes into 2 bits.
    private const long LargestExpansion = 1032;

    private static readonly uint[] Crc = MakeTable();

    /// <summary>The first eight bytes of every PNG file.</summary>
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>
    /// Goes from chunk to chunk up to the end of the image (a missing end chunk is no loss) and checks the sums of all
    /// but the picture data, whose sums the decoder checks.
    /// </summary>
    /// <returns>The EXIF orientation.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is cut, a chunk is damaged, or the data cannot hold as many pixels as the header promises.
    /// </exception>
    public static int Walk(ReadOnlySpan<byte> bytes)
    {
        var orientation = ExifOrientation.Upright;
        var header = ReadOnlySpan<byte>.Empty;
        var data = 0L;
        for (var at = Signature.Length; at < bytes.Length;)
        {
            if (bytes.Length - at < 12)
                throw new InvalidDataException($"the file is cut inside the PNG chunk at byte {at}");
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);
            if (length > bytes.Length - at - 12)
                throw new InvalidDataException(
                    $"the file is cut: the PNG chunk at byte {at} should hold {length} bytes, "
                    + $"{bytes.Length - at - 12} are there");
            var named = bytes.Slice(at + 4, (int)length + 4);
            var name = named[..4];
            if (name.SequenceEqual("IDAT"u8)) data += length;
            else if (Sum(named) != BinaryPrimitives.ReadUInt32BigEndian(bytes[(at + 8 + (int)length)..]))
                throw new InvalidDataException($"the check sum of the PNG chunk at byte {at} is wrong");
            if (name.SequenceEqual("IEND"u8)) break;
            if (name.SequenceEqual("IHDR"u8)) header = named[4..];
            if (name.SequenceEqual("eXIf"u8)) orientation = ExifOrientation.Read(named[4..]);
            at += (int)length + 12;
        }
        if (header.Length < 13) throw new InvalidDataException("the PNG file has no header chunk");
        CheckPixels(header, data);
        return orientation;
    }

    private static void CheckPixels(ReadOnlySpan<byte> header, long data)
    {
        var width = BinaryPrimitives.ReadUInt32BigEndian(header);
        var height = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        var channels = header[9] switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        var needed = (double)width * height * header[8] * channels / 8;
        if (needed > data * LargestExpansion)
            throw new InvalidDataException(
                $"the PNG header promises {width} x {height} pixels, more than {data} bytes of data can hold");
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        foreach (var b in bytes) sum = Crc[(byte)(sum ^ b)] ^ (sum >> 8);
        return ~sum;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++) value = (value & 1) == 0 ? value >> 1 : 0xEDB88320 ^ (value >> 1);
            table[i] = value;
        }
        return table;
    }
}
