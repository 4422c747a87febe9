using System.Buffers.Binary;
using System.IO.Compression;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Reads grey PNG pictures of 16 bits, and no others, in the plainest way: an independent answer for what a decoder
/// must give. Source: the PNG specification, third edition (W3C).
/// </summary>
internal static class SixteenBitGreyPng
{
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>The upper byte of every pixel, [height, width].</summary>
    public static byte[] UpperBytes(byte[] file)
    {
        using var data = new MemoryStream();
        for (var at = 8; at < file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            if (file.AsSpan(at + 4, 4).SequenceEqual("IDAT"u8)) data.Write(file, at + 8, length);
            at += length + 12;
        }
        data.Position = 0;
        using var inflated = new ZLibStream(data, CompressionMode.Decompress);
        var width = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(16));
        var height = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(20));
        var pixels = new byte[width * height];
        foreach (var (x, y, stepX, stepY) in file[28] == 1 ? Adam7 : [(0, 0, 1, 1)])
        {
            var columns = (width - x + stepX - 1) / stepX;
            var above = new byte[Math.Max(columns, 0) * 2];
            for (var row = y; row < height && columns > 0; row += stepY)
            {
                above = Unfiltered(inflated, above);
                for (var c = 0; c < columns; c++) pixels[row * width + x + c * stepX] = above[c * 2];
            }
        }
        return pixels;
    }

    private static byte[] Unfiltered(Stream stream, byte[] above)
    {
        var filter = stream.ReadByte();
        var row = new byte[above.Length];
        stream.ReadExactly(row);
        for (var i = 0; i < row.Length; i++)
        {
            var (left, up, corner) = (i < 2 ? 0 : row[i - 2], above[i], i < 2 ? 0 : above[i - 2]);
            row[i] += (byte)(filter switch
            {
                0 => 0,
                1 => left,
                2 => up,
                3 => (left + up) / 2,
                4 => Paeth(left, up, corner),
                _ => throw new InvalidDataException($"the filter {filter} is unknown"),
            });
        }
        return row;
    }

    private static int Paeth(int left, int up, int corner)
    {
        var guess = left + up - corner;
        var (a, b, c) = (Math.Abs(guess - left), Math.Abs(guess - up), Math.Abs(guess - corner));
        return a <= b && a <= c ? left : b <= c ? up : corner;
    }
}
