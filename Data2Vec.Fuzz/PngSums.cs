using System.Buffers.Binary;

namespace Data2Vec.Fuzz;

/// <summary>
/// Makes the check sums of a PNG file right, which the native decoder verifies too: else nearly no mutated file would
/// get past them.
/// </summary>
internal static class PngSums
{
    private const int Signature = 8;
    private const int ChunkFrame = 12;

    /// <summary>A copy with right sums where the bytes begin like a PNG file; else the bytes themselves.</summary>
    public static byte[] Repaired(byte[] bytes)
    {
        if (bytes.Length < Signature || !bytes.AsSpan(1).StartsWith("PNG"u8)) return bytes;
        var copy = (byte[])bytes.Clone();
        for (var at = Signature; at + ChunkFrame <= copy.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(copy.AsSpan(at));
            if (length > copy.Length - at - ChunkFrame) break;
            var sum = Crc32(copy.AsSpan(at + 4, (int)length + 4));
            BinaryPrimitives.WriteUInt32BigEndian(copy.AsSpan(at + 8 + (int)length), sum);
            at += (int)length + ChunkFrame;
        }
        return copy;
    }

    /// <summary>CRC-32 as the PNG specification has it.</summary>
    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        foreach (var b in bytes)
        {
            sum ^= b;
            for (var bit = 0; bit < 8; bit++) sum = (sum & 1) == 0 ? sum >> 1 : 0xEDB88320 ^ (sum >> 1);
        }
        return ~sum;
    }
}
