using System.Text;

namespace Data2Vec.Tests.Data.Audio;

/// <summary>Writes small WAV files.</summary>
internal static class WavBytes
{
    /// <summary>16-bit PCM.</summary>
    public static byte[] Pcm16(int rate, int channels, params short[] samples) =>
        File(Format(1, channels, rate, 16), Chunk("data", [.. samples.SelectMany(BitConverter.GetBytes)]));

    /// <summary>32-bit float.</summary>
    public static byte[] Float(int rate, params float[] samples) =>
        File(Format(3, 1, rate, 32), Chunk("data", [.. samples.SelectMany(BitConverter.GetBytes)]));

    public static byte[] File(params byte[][] chunks)
    {
        byte[] body = [.. "WAVE"u8, .. chunks.SelectMany(c => c)];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(body.Length), .. body];
    }

    public static byte[] Chunk(string id, byte[] body, uint? size = null) =>
        [.. Encoding.ASCII.GetBytes(id), .. BitConverter.GetBytes(size ?? (uint)body.Length), .. body,
            .. new byte[body.Length & 1]];

    public static byte[] Format(int tag, int channels, int rate, int bits)
    {
        var align = channels * ((bits + 7) / 8);
        return Chunk("fmt ", [.. Two(tag), .. Two(channels), .. BitConverter.GetBytes(rate),
            .. BitConverter.GetBytes(rate * align), .. Two(align), .. Two(bits)]);
    }

    private static byte[] Two(int value) => BitConverter.GetBytes((ushort)value);
}
