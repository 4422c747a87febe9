namespace Data2Vec.Models.Text;

/// <summary>A token and the part of the text it stands for.</summary>
/// <param name="Id">Token id.</param>
/// <param name="Start">First code point of the text (not UTF-16 unit, not byte).</param>
/// <param name="End">One past the last code point; equal to <paramref name="Start"/> for an empty range.</param>
public readonly record struct TokenSpan(int Id, int Start, int End);

/// <summary>How text is cut into tokens. The defaults are those of the published tokenizer.</summary>
public sealed record TokenizeOptions
{
    /// <summary>The defaults.</summary>
    public static TokenizeOptions Default { get; } = new();

    /// <summary>True: text that does not begin with a space is read as if it did.</summary>
    public bool AddPrefixSpace { get; init; }

    /// <summary>True: leading and trailing spaces of a token are left out of its range.</summary>
    public bool TrimOffsets { get; init; } = true;

    /// <summary>True: the mask token swallows the white space before it.</summary>
    public bool MaskSwallowsSpace { get; init; } = true;

    /// <summary>True: special tokens written in the text are plain text.</summary>
    public bool SplitSpecialTokens { get; init; }
}
