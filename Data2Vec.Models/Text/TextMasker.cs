using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>Which tokens are hidden from the student.</summary>
public enum TextMaskStyle
{
    /// <summary>Single tokens; 80 % become the mask token, 10 % stay, 10 % become random tokens (BERT).</summary>
    Bert,
    /// <summary>Spans of consecutive tokens, all replaced by the mask token (the released data2vec setting).</summary>
    Span,
}

/// <summary>How text is masked.</summary>
/// <param name="Style">Spans, or BERT's single tokens.</param>
/// <param name="Probability">Share of tokens selected, counted before spans overlap.</param>
/// <param name="Length">Tokens of a span.</param>
/// <param name="LeaveUnmasked">BERT: share of selected tokens left as they are.</param>
/// <param name="Random">BERT: share of selected tokens replaced by a random one.</param>
/// <param name="OnlyMaskTokens">
/// The loss looks at mask tokens only, not at kept and random ones (published behaviour).
/// </param>
public sealed record TextMaskConfig(
    TextMaskStyle Style = TextMaskStyle.Span, double Probability = 0.35, int Length = 4, double LeaveUnmasked = 0.1,
    double Random = 0.1, bool OnlyMaskTokens = false)
{
    /// <summary>The numbers that the style stands for.</summary>
    public TokenMaskRule Rule => Style == TextMaskStyle.Span
        ? new(Probability, Length, LeaveUnmasked: 0, Random: 0)
        : new(Probability, Length: 1, LeaveUnmasked, Random);
}

/// <summary>The numbers of a token mask.</summary>
/// <param name="Probability">Share of units selected, counted before spans overlap.</param>
/// <param name="Length">Units of a span.</param>
/// <param name="LeaveUnmasked">Share of selected units left as they are.</param>
/// <param name="Random">Share of selected units whose tokens are replaced by random ones.</param>
public sealed record TokenMaskRule(double Probability, int Length, double LeaveUnmasked, double Random);

/// <summary>
/// Masks token ids as the published text task does: n = int(p * size / length + u) starts without replacement, spans
/// cut at the end; any token can be selected, the first and last included, and none may be. Units are tokens, or whole
/// words. Source: fairseq 3d262bb, mask_tokens_dataset.py.
/// </summary>
public static class TextMasker
{
    /// <summary>Specials at the start of every vocabulary, never drawn as random tokens.</summary>
    private const int Specials = 4;

    /// <summary>Masks one sequence.</summary>
    /// <param name="ids">Clean ids, specials included, no padding.</param>
    /// <param name="maskId">The mask token.</param>
    /// <param name="vocabulary">Number of ids; random tokens can be any but the first four.</param>
    /// <param name="config">Style and shares.</param>
    /// <param name="draws">Where draws come from; consumed in a fixed order.</param>
    /// <returns>Ids for the student, and which positions were selected.</returns>
    public static (int[] Source, bool[] Selected) Mask(
        ReadOnlySpan<int> ids, int maskId, int vocabulary, TextMaskConfig config, IDraws draws) =>
        Mask(ids, maskId, vocabulary, config.Rule, draws);

    /// <summary>As the other overload, by the numbers alone.</summary>
    /// <param name="ids">Clean ids, specials included, no padding.</param>
    /// <param name="maskId">The mask token.</param>
    /// <param name="vocabulary">Number of ids; random tokens can be any but the first four.</param>
    /// <param name="rule">Length and shares.</param>
    /// <param name="draws">Where draws come from; consumed in a fixed order.</param>
    /// <param name="wordLengths">Tokens of each word, when words are the units; empty = tokens are.</param>
    /// <returns>Ids for the student, and which positions were selected.</returns>
    /// <exception cref="ArgumentException">The word lengths do not add up to the tokens.</exception>
    public static (int[] Source, bool[] Selected) Mask(
        ReadOnlySpan<int> ids, int maskId, int vocabulary, TokenMaskRule rule, IDraws draws,
        ReadOnlySpan<int> wordLengths = default)
    {
        var word = WordOfToken(ids.Length, wordLengths);
        var size = wordLengths.IsEmpty ? ids.Length : wordLengths.Length;
        var count = Math.Min(size, (int)(rule.Probability * size / rule.Length + draws.NextDouble()));
        var chosen = new bool[size];
        foreach (var start in draws.SampleWithoutReplacement(size, count))
            for (var i = start; i < Math.Min(size, start + rule.Length); i++) chosen[i] = true;

        // One draw a unit for "changed", one more for "left" where both can happen, then one a random token.
        var changed = Below(rule.LeaveUnmasked + rule.Random, size, draws);
        var left = rule.Random <= 0 ? changed
            : rule.LeaveUnmasked <= 0 ? new bool[size]
            : Below(rule.LeaveUnmasked / (rule.LeaveUnmasked + rule.Random), size, draws);
        var source = ids.ToArray();
        var selected = new bool[ids.Length];
        for (var i = 0; i < source.Length; i++)
        {
            var unit = word[i];
            selected[i] = chosen[unit];
            if (!selected[i] || (changed[unit] && left[unit])) continue;
            source[i] = changed[unit] ? Specials + draws.NextInt(vocabulary - Specials) : maskId;
        }
        return (source, selected);
    }

    /// <summary>For each unit whether its draw is below the share; no draws where the share is 0.</summary>
    private static bool[] Below(double share, int size, IDraws draws)
    {
        var below = new bool[size];
        if (share <= 0) return below;
        for (var i = 0; i < size; i++) below[i] = draws.NextDouble() < share;
        return below;
    }

    private static int[] WordOfToken(int tokens, ReadOnlySpan<int> wordLengths)
    {
        var word = new int[tokens];
        if (wordLengths.IsEmpty)
        {
            for (var i = 0; i < tokens; i++) word[i] = i;
            return word;
        }
        var first = 0;
        for (var w = 0; w < wordLengths.Length; w++)
        {
            if (wordLengths[w] < 1 || wordLengths[w] > tokens - first)
            {
                throw new ArgumentException(
                    $"TextMasker: word {w} has {wordLengths[w]} tokens; expected 1 to {tokens - first}, what is left.");
            }
            word.AsSpan(first, wordLengths[w]).Fill(w);
            first += wordLengths[w];
        }
        return first == tokens
            ? word
            : throw new ArgumentException($"TextMasker: words have {first} tokens; expected all {tokens}.");
    }
}
