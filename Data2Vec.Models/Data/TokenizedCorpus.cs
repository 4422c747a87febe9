using Data2Vec.Models.Text;

namespace Data2Vec.Models.Data;

/// <summary>A document as the encoder reads it.</summary>
/// <param name="Ids"><c>&lt;s&gt;</c>, at most the given number of tokens, <c>&lt;/s&gt;</c>.</param>
/// <param name="Class">As in <see cref="TextDocument"/>.</param>
public readonly record struct TokenizedDocument(int[] Ids, string Class);

/// <summary>A corpus cut into tokens, in the order of the corpus.</summary>
public sealed class TokenizedCorpus
{
    private TokenizedCorpus(string className, TokenizedDocument[] training, TokenizedDocument[] heldOut)
    {
        ClassName = className;
        Training = training;
        HeldOut = heldOut;
    }

    /// <summary>As in <see cref="TextCorpus"/>.</summary>
    public string ClassName { get; }

    /// <summary>The documents to train on.</summary>
    public IReadOnlyList<TokenizedDocument> Training { get; }

    /// <summary>The documents kept for probes.</summary>
    public IReadOnlyList<TokenizedDocument> HeldOut { get; }

    /// <summary>Tokens of the training part, <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c> included.</summary>
    public long TrainingTokens => Training.Sum(d => (long)d.Ids.Length);

    /// <summary>Cuts every document into tokens.</summary>
    /// <param name="corpus">The documents.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="maxTokens">Longest sequence, added tokens included; the rest of a document is dropped.</param>
    /// <exception cref="ArgumentOutOfRangeException">The longest sequence has no room for a token.</exception>
    public static TokenizedCorpus Create(TextCorpus corpus, ByteLevelBpe tokenizer, int maxTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 3);
        TokenizedDocument Cut(TextDocument document)
        {
            var ids = tokenizer.TokenizeToIds(document.Text);
            return new(
                [tokenizer.BosId, .. ids.Take(Math.Min(ids.Count, maxTokens - 2)), tokenizer.EosId], document.Class);
        }
        return new TokenizedCorpus(corpus.ClassName, [.. corpus.Training.Select(Cut)], [.. corpus.HeldOut.Select(Cut)]);
    }
}
