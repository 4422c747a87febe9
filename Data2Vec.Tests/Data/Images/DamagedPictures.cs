using System.Buffers.Binary;
using Data2Vec.Kernels;

namespace Data2Vec.Tests.Data;

/// <summary>Damages files at random, in ways that parsers mind: the same seed gives the same damage.</summary>
internal sealed class DamagedPictures(ulong seed)
{
    private static readonly byte[] Telling = [0, 1, 0x7F, 0x80, 0xFE, 0xFF];

    private readonly PhiloxStream random = new(new RandomKey(seed, 0, 0, 0x1357));

    /// <summary>A damaged copy.</summary>
    public byte[] Damage(byte[] file)
    {
        var bytes = (byte[])file.Clone();
        for (var times = 1 + random.NextInt(3); times > 0 && bytes.Length > 8; times--)
        {
            // Half of the damage goes to the first bytes, where sizes and tables are.
            var at = random.NextInt(random.NextInt(2) == 0 ? Math.Min(bytes.Length, 64) : bytes.Length);
            var length = Math.Min(1 + random.NextInt(8), bytes.Length - at);
            switch (random.NextInt(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.NextInt(8)); break;
                case 1: bytes[at] = Telling[random.NextInt(Telling.Length)]; break;
                case 2: bytes.AsSpan(at, length).Fill(Telling[random.NextInt(Telling.Length)]); break;
                case 3: bytes = bytes[..Math.Max(at, 8)]; break;
                case 4: bytes = [.. bytes[..at], .. bytes[(at + length)..]]; break;
                default: bytes = [.. bytes[..(at + length)], .. bytes[at..]]; break;
            }
        }
        if (bytes.Length > 4 && bytes.AsSpan(1).StartsWith("PNG"u8) && random.NextInt(4) > 0) RepairSums(bytes);
        return bytes;
    }

    /// <summary>CRC-32 as PNG has it.</summary>
    public static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        foreach (var b in bytes)
        {
            sum ^= b;
            for (var bit = 0; bit < 8; bit++) sum = (sum & 1) == 0 ? sum >> 1 : 0xEDB88320 ^ (sum >> 1);
        }
        return ~sum;
    }

    /// <summary>Else the sums of a PNG file would hide all damage from what lies behind them.</summary>
    private static void RepairSums(Span<byte> bytes)
    {
        for (var at = 8; at + 12 <= bytes.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);
            if (length > bytes.Length - at - 12) return;
            var named = bytes.Slice(at + 4, (int)length + 4);
            BinaryPrimitives.WriteUInt32BigEndian(bytes[(at + 8 + (int)length)..], Crc32(named));
            at += (int)length + 12;
        }
    }
}
