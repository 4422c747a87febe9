using System.Security.Cryptography;

namespace Data2Vec.Tests.Data.Audio;

/// <summary>Writes bits, the highest of a byte first.</summary>
internal sealed class BitWriter
{
    private readonly List<byte> bytes = [];
    private int used;

    public void Write(long value, int count)
    {
        for (var i = count - 1; i >= 0; i--)
        {
            if (used == 0) bytes.Add(0);
            if ((value >> i & 1) != 0) bytes[^1] |= (byte)(0x80 >> used);
            used = (used + 1) & 7;
        }
    }

    public byte[] ToArray() => [.. bytes];
}

/// <summary>A small FLAC file of verbatim or constant subframes, every part of which can be made wrong.</summary>
internal sealed record FlacBytes
{
    public int Rate { get; init; } = 16000;

    public int Channels { get; init; } = 1;

    public int Bits { get; init; } = 16;

    public int Block { get; init; } = 256;

    /// <summary>The code of the channels in frame heads; null = independent ones.</summary>
    public int? ChannelCode { get; init; }

    /// <summary>Declared number of samples; null = not known.</summary>
    public long? Total { get; init; }

    public byte[]? Md5 { get; init; }

    /// <summary>Subframe columns of every frame, as they are to be written; a constant one has one entry.</summary>
    public required IReadOnlyList<long[][]> Frames { get; init; }

    public byte[] Write()
    {
        var info = new BitWriter();
        info.Write(Block, 16);
        info.Write(Block, 16);
        info.Write(0, 48);
        info.Write(Rate, 20);
        info.Write(Channels - 1, 3);
        info.Write(Bits - 1, 5);
        info.Write(Total ?? 0, 36);
        byte[] head = [.. "fLaC"u8, 0x80, 0, 0, 34, .. info.ToArray(), .. Md5 ?? new byte[16]];
        return [.. head, .. Frames.SelectMany((f, i) => Frame(f, i))];
    }

    public static byte[] Md5Of(IEnumerable<int> samples, int bytes) =>
        MD5.HashData([.. samples.SelectMany(s => BitConverter.GetBytes(s).Take(bytes))]);

    private byte[] Frame(long[][] columns, int number)
    {
        var bits = new BitWriter();
        bits.Write(0xFFF8, 16);
        bits.Write(0x70, 8);
        bits.Write(ChannelCode ?? Channels - 1, 4);
        bits.Write(0, 4);
        if (number < 128) bits.Write(number, 8);
        else bits.Write(0xC080 | (number >> 6 << 8) | (number & 0x3F), 16);
        bits.Write(Block - 1, 16);
        bits.Write(Crc(bits.ToArray(), 0x07, 8), 8);
        for (var c = 0; c < columns.Length; c++)
        {
            var side = ChannelCode is { } code && c == (code == 9 ? 0 : 1);
            bits.Write(columns[c].Length == 1 && Block > 1 ? 0 : 2, 8);
            foreach (var value in columns[c]) bits.Write(value, Bits + (side ? 1 : 0));
        }
        var body = bits.ToArray();
        var crc = Crc(body, 0x8005, 16);
        return [.. body, (byte)(crc >> 8), (byte)crc];
    }

    /// <summary>A check sum bit by bit, unlike the reader's.</summary>
    public static int Crc(ReadOnlySpan<byte> bytes, int polynomial, int bits)
    {
        var crc = 0;
        foreach (var b in bytes)
            for (var i = 7; i >= 0; i--)
            {
                var feedback = (crc >> (bits - 1) ^ b >> i) & 1;
                crc = (crc << 1 ^ (feedback != 0 ? polynomial : 0)) & ((1 << bits) - 1);
            }
        return crc;
    }
}
