using System.Text;
using System.Text.Unicode;

namespace Data2Vec.Models.Text;

/// <summary>Reads whole text files strictly: broken UTF-8 is an error that names the file and the byte.</summary>
internal static class Utf8Text
{
    /// <summary>The bytes of a file without a byte order mark, checked to be UTF-8.</summary>
    /// <exception cref="InvalidDataException">The file is not valid UTF-8.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ReadOnlyMemory<byte> ReadBytes(string path) => Checked(File.ReadAllBytes(path), path);

    /// <summary>The text of a file without a byte order mark.</summary>
    /// <exception cref="InvalidDataException">The file is not valid UTF-8.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static string Read(string path) => Encoding.UTF8.GetString(ReadBytes(path).Span);

    /// <summary>The text of bytes that are in memory, without a byte order mark.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidDataException">They are not valid UTF-8.</exception>
    public static string Decode(byte[] bytes, string name) => Encoding.UTF8.GetString(Checked(bytes, name).Span);

    private static ReadOnlyMemory<byte> Checked(byte[] bytes, string name)
    {
        if (!Utf8.IsValid(bytes))
            throw new InvalidDataException(
                $"{name}: byte {FirstInvalid(bytes)} is not valid UTF-8; the file must be UTF-8 text.");
        return bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes;
    }

    private static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        var position = 0;
        while (Rune.DecodeFromUtf8(bytes[position..], out _, out var length) == System.Buffers.OperationStatus.Done)
            position += length;
        return position;
    }
}
