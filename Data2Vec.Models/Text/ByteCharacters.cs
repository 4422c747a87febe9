using System.Collections.Frozen;
using System.Text;

namespace Data2Vec.Models.Text;

/// <summary>
/// The reversible map of the 256 bytes to printable characters that byte-level BPE writes its tokens in
/// (printable Latin-1 stands for itself, the other 68 bytes follow from U+0100 on).
/// </summary>
internal static class ByteCharacters
{
    private static readonly char[] Characters = Build();
    private static readonly FrozenDictionary<char, byte> Bytes =
        Enumerable.Range(0, 256).ToFrozenDictionary(b => Characters[b], b => (byte)b);

    /// <summary>The character of a space, with which the token of a word inside a sentence begins.</summary>
    public const char Space = '\u0120';

    public static char Of(byte value) => Characters[value];

    public static bool TryByte(char character, out byte value) => Bytes.TryGetValue(character, out value);

    /// <summary>The text's UTF-8 bytes, one character each.</summary>
    public static string Encode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(bytes.Length, bytes, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = Characters[source[i]];
        });
    }

    /// <summary>The bytes of a token; one with a foreign character (a special token) gives its own UTF-8.</summary>
    public static byte[] Decode(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
            if (!Bytes.TryGetValue(token[i], out bytes[i])) return Encoding.UTF8.GetBytes(token);
        return bytes;
    }

    private static char[] Build()
    {
        var characters = new char[256];
        var next = (char)256;
        for (var b = 0; b < 256; b++)
            characters[b] = b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? (char)b : next++;
        return characters;
    }
}
