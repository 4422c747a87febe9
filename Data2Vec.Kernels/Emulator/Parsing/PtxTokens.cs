namespace Data2Vec.Kernels.Emulator;

/// <summary>What a piece of PTX text is.</summary>
internal enum PtxTokenKind
{
    /// <summary>A name, directive, opcode or number; dots and "::" belong to it.</summary>
    Word,

    /// <summary>Text between quotation marks, without them.</summary>
    Text,

    /// <summary>One sign, such as ';'.</summary>
    Sign,

    End,
}

/// <summary>A piece of PTX text and the line on which it stands, from 1.</summary>
internal readonly record struct PtxToken(PtxTokenKind Kind, string Text, int Line)
{
    /// <summary>True for this sign.</summary>
    public bool Is(char sign) => Kind == PtxTokenKind.Sign && Text[0] == sign;
}

/// <summary>Cuts PTX text into tokens. Source: PTX ISA 8.4, section 4.</summary>
internal static class PtxTokens
{
    /// <summary>All tokens, with one <see cref="PtxTokenKind.End"/> at the end.</summary>
    /// <exception cref="PtxException">A comment or a text does not end.</exception>
    public static List<PtxToken> Read(string text)
    {
        var tokens = new List<PtxToken>(text.Length / 4);
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        var words = known.GetAlternateLookup<ReadOnlySpan<char>>();
        var line = 1;
        for (var i = 0; i < text.Length;)
        {
            var c = text[i];
            if (c == '\n')
            {
                line++;
                i++;
            }
            else if (char.IsWhiteSpace(c) || c == '\0') i++;
            else if (c == '/' && i + 1 < text.Length && text[i + 1] == '/')
            {
                while (i < text.Length && text[i] != '\n') i++;
            }
            else if (c == '/' && i + 1 < text.Length && text[i + 1] == '*')
            {
                var end = text.IndexOf("*/", i + 2, StringComparison.Ordinal);
                if (end < 0) throw new PtxException(line, "A comment does not end.");
                for (; i < end; i++)
                    if (text[i] == '\n') line++;
                i += 2;
            }
            else if (c == '"')
            {
                var end = text.IndexOf('"', i + 1);
                if (end < 0) throw new PtxException(line, "A text in quotation marks does not end.");
                tokens.Add(new PtxToken(PtxTokenKind.Text, text[(i + 1)..end], line));
                i = end + 1;
            }
            else if (IsWord(c))
            {
                var start = i;
                while (i < text.Length)
                {
                    if (IsWord(text[i])) i++;
                    else if (text[i] == ':' && i + 2 < text.Length && text[i + 1] == ':' && IsWord(text[i + 2])) i += 2;
                    else break;
                }
                var span = text.AsSpan(start, i - start);
                if (!words.TryGetValue(span, out var word))
                {
                    word = span.ToString();
                    known.Add(word, word);
                }
                tokens.Add(new PtxToken(PtxTokenKind.Word, word, line));
            }
            else
            {
                tokens.Add(new PtxToken(PtxTokenKind.Sign, c.ToString(), line));
                i++;
            }
        }
        tokens.Add(new PtxToken(PtxTokenKind.End, "the end", line));
        return tokens;
    }

    private static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%' or '.';
}

/// <summary>PTX that cannot be read or that the emulator has no instruction for.</summary>
internal sealed class PtxException(int line, string message) : Exception($"PTX line {line}: {message}")
{
    /// <summary>The line, from 1.</summary>
    public int Line => line;
}
