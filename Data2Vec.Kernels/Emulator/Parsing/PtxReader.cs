namespace Data2Vec.Kernels.Emulator;

/// <summary>A place in a list of tokens: what the parsers have in common.</summary>
internal sealed class PtxReader(string text)
{
    private readonly List<PtxToken> tokens = PtxTokens.Read(text);
    private int at;

    public PtxToken Peek => tokens[at];

    public PtxToken PeekSecond => tokens[Math.Min(at + 1, tokens.Count - 1)];

    public int Line => tokens[at].Line;

    public PtxToken Next() => tokens[at].Kind == PtxTokenKind.End ? throw Unexpected("more") : tokens[at++];

    /// <summary>Goes past a sign if it is there.</summary>
    public bool Take(char sign)
    {
        if (!Peek.Is(sign)) return false;
        at++;
        return true;
    }

    /// <summary>Goes past a word if it is there.</summary>
    public bool Take(string word)
    {
        if (Peek.Kind != PtxTokenKind.Word || Peek.Text != word) return false;
        at++;
        return true;
    }

    public void Expect(char sign)
    {
        if (!Take(sign)) throw Unexpected($"'{sign}'");
    }

    public string Word() => Peek.Kind == PtxTokenKind.Word ? tokens[at++].Text : throw Unexpected("a name");

    /// <summary>A whole number, perhaps with a minus before it.</summary>
    public int Number()
    {
        var negative = Take('-');
        var line = Line;
        var (bits, kind) = PtxNumbers.Parse(Word(), negative, line);
        if (kind != PtxNumber.Integer || bits != (int)bits)
            throw new PtxException(line, "A 32-bit integer was expected.");
        return (int)bits;
    }

    /// <summary>Goes past everything to the sign, which is outside of all brackets, and past that.</summary>
    public void SkipPast(char sign)
    {
        while (!Take(sign)) Next();
    }

    /// <summary>Goes past a block in braces, the opening one of which comes next.</summary>
    public void SkipBlock()
    {
        Expect('{');
        for (var depth = 1; depth > 0;)
        {
            var token = Next();
            if (token.Is('{')) depth++;
            else if (token.Is('}')) depth--;
        }
    }

    /// <summary>
    /// Names of the source files by their number: compilers put them behind the kernels that refer to them.
    /// </summary>
    public Dictionary<int, string> Files()
    {
        var files = new Dictionary<int, string>();
        for (var i = 0; i + 2 < tokens.Count; i++)
        {
            if (tokens[i].Text == ".file" && tokens[i].Kind == PtxTokenKind.Word
                && int.TryParse(tokens[i + 1].Text, out var number))
                files[number] = Path.GetFileName(tokens[i + 2].Text);
        }
        return files;
    }

    /// <summary>
    /// Labels of the block in which the reader stands, inner blocks left out: a jump may come before its label.
    /// </summary>
    public IEnumerable<string> LabelsAhead()
    {
        for (int i = at, depth = 0; i + 1 < tokens.Count && depth >= 0; i++)
        {
            if (tokens[i].Is('{')) depth++;
            else if (tokens[i].Is('}')) depth--;
            else if (depth == 0 && tokens[i].Kind == PtxTokenKind.Word && tokens[i + 1].Is(':'))
                yield return tokens[i].Text;
        }
    }

    public PtxException Unexpected(string expected) => new(Line, $"Expected {expected}, got '{Peek.Text}'.");
}
