namespace Data2Vec.Models.Text;

/// <summary>A text, or a pair of texts, ready for the encoder. All lists have the same length.</summary>
public sealed record TokenSequence
{
    /// <summary>Token ids.</summary>
    public required int[] Ids { get; init; }

    /// <summary>Ranges in code points of the text they come from; (0, 0) for added tokens.</summary>
    public required (int Start, int End)[] Offsets { get; init; }

    /// <summary>1 for tokens, 0 for padding.</summary>
    public required byte[] AttentionMask { get; init; }

    /// <summary>1 for tokens that were added around and between the texts, and for padding.</summary>
    public required byte[] SpecialMask { get; init; }

    /// <summary>0 for the first text, 1 for the second, null for added tokens.</summary>
    public required int?[] SequenceIds { get; init; }
}

/// <summary>What is cut when a sequence is too long.</summary>
public enum Truncation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The longer of two texts first, then both.</summary>
    LongestFirst,

    /// <summary>The first text only.</summary>
    OnlyFirst,

    /// <summary>The second text only.</summary>
    OnlySecond,
}

/// <summary>To what length sequences are filled up.</summary>
public enum Padding
{
    /// <summary>None.</summary>
    None,

    /// <summary>The longest sequence of the batch.</summary>
    Longest,

    /// <summary><see cref="SequenceOptions.MaxLength"/>.</summary>
    MaxLength,
}

/// <summary>How texts become sequences.</summary>
public sealed record SequenceOptions
{
    /// <summary>The defaults: special tokens are added, nothing is cut or filled.</summary>
    public static SequenceOptions Default { get; } = new();

    /// <summary>True: <c>&lt;s&gt; A &lt;/s&gt;</c> or <c>&lt;s&gt; A &lt;/s&gt;&lt;/s&gt; B &lt;/s&gt;</c>.</summary>
    public bool AddSpecialTokens { get; init; } = true;

    /// <summary>Most tokens of a sequence, added ones included; needed by truncation and by some padding.</summary>
    public int? MaxLength { get; init; }

    /// <summary>What is cut.</summary>
    public Truncation Truncation { get; init; }

    /// <summary>True: tokens are dropped at the left end of a text.</summary>
    public bool TruncateLeft { get; init; }

    /// <summary>What is filled up.</summary>
    public Padding Padding { get; init; }

    /// <summary>Padded lengths are rounded up to a multiple of this.</summary>
    public int PadToMultipleOf { get; init; } = 1;

    /// <summary>True: padding comes before the tokens.</summary>
    public bool PadLeft { get; init; }

    /// <summary>How each text is cut into tokens.</summary>
    public TokenizeOptions Tokenize { get; init; } = TokenizeOptions.Default;
}
