using Data2Vec.Kernels;

namespace Data2Vec.Tests;

/// <summary>Writes small files of sound and pictures, filled by a seed.</summary>
internal static class SmallFiles
{
    /// <summary>16-bit PCM with one channel.</summary>
    public static void WriteWave(string path, int rate, int samples, ulong seed)
    {
        using var writer = new BinaryWriter(File.Create(path));
        writer.Write("RIFF"u8);
        writer.Write(36 + 2 * samples);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)1);
        writer.Write((short)1);
        writer.Write(rate);
        writer.Write(2 * rate);
        writer.Write((short)2);
        writer.Write((short)16);
        writer.Write("data"u8);
        writer.Write(2 * samples);
        var random = new PhiloxStream(new RandomKey(seed, 0, 0, 0));
        for (var i = 0; i < samples; i++) writer.Write((short)(20000 * random.NextDouble() - 9000));
    }

    /// <summary>24 bits a pixel.</summary>
    public static void WriteBitmap(string path, int width, int height, ulong seed)
    {
        using var writer = new BinaryWriter(File.Create(path));
        var row = (3 * width + 3) / 4 * 4;
        writer.Write("BM"u8);
        writer.Write(54 + row * height);
        writer.Write(0);
        writer.Write(54);
        writer.Write(40);
        writer.Write(width);
        writer.Write(height);
        writer.Write((short)1);
        writer.Write((short)24);
        for (var i = 0; i < 6; i++) writer.Write(0);
        var random = new PhiloxStream(new RandomKey(seed, 0, 0, 0));
        for (var i = 0; i < row * height; i++) writer.Write((byte)random.NextInt(256));
    }
}
