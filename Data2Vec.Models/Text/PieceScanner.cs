using System.Buffers;
using System.Globalization;
using System.Text;

namespace Data2Vec.Models.Text;

/// <summary>
/// Cuts text into the pieces inside which BPE merges:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c> over Unicode code points.
/// </summary>
/// <remarks>
/// Written by hand because .NET's regular expressions see UTF-16 units: letters and digits beyond U+FFFF would fall
/// into the class of punctuation.
/// </remarks>
internal static class PieceScanner
{
    private enum Kind { Letter, Number, Space, Other }

    /// <summary>Where the piece that begins at <paramref name="start"/> ends (UTF-16 positions).</summary>
    public static int End(ReadOnlySpan<char> text, int start)
    {
        if (text[start] == '\'' && Contraction(text[(start + 1)..]) is var letters and > 0) return start + 1 + letters;
        var kind = KindAt(text, start, out var length);
        if (kind != Kind.Space) return RunEnd(text, start, kind);
        if (text[start] == ' ' && start + 1 < text.Length)
        {
            var next = KindAt(text, start + 1, out _);
            if (next != Kind.Space) return RunEnd(text, start + 1, next);
        }
        // \s+(?!\S): a run of white space leaves its last character to the word that follows.
        var end = RunEnd(text, start, Kind.Space);
        return end == text.Length || end == start + length ? end : end - 1;
    }

    private static int Contraction(ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty) return 0;
        if (rest[0] is 's' or 't' or 'm' or 'd') return 1;
        return rest.StartsWith("re") || rest.StartsWith("ve") || rest.StartsWith("ll") ? 2 : 0;
    }

    private static int RunEnd(ReadOnlySpan<char> text, int position, Kind kind)
    {
        while (position < text.Length && KindAt(text, position, out var length) == kind) position += length;
        return position;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int position, out int length)
    {
        var c = text[position];
        if (c < 128)
        {
            length = 1;
            if (char.IsAsciiLetter(c)) return Kind.Letter;
            if (char.IsAsciiDigit(c)) return Kind.Number;
            return c is ' ' or >= '\t' and <= '\r' ? Kind.Space : Kind.Other;
        }
        var status = Rune.DecodeFromUtf16(text[position..], out var rune, out length);
        if (status != OperationStatus.Done) return Kind.Other;
        if (Rune.IsWhiteSpace(rune)) return Kind.Space;
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber
                or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Kind.Other,
        };
    }
}
