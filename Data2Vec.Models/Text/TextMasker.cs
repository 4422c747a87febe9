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
/// <param name="OnlyMaskTokens">The loss looks at mask tokens only, not at kept and random ones (published behaviour).</param>
public sealed record TextMaskConfig(
    TextMaskStyle Style = TextMaskStyle.Span, double Probability = 0.35, int Length = 4, double LeaveUnmasked = 0.1,
    double Random = 0.1, bool OnlyMaskTokens = false);

/// <summary>
/// Masks token ids as the published text task does: n = int(p * size / length + u) starts without replacement, spans cut at
/// the end; any token can be selected, the first and last included. At least one token of a batch is always selected.
/// Source: fairseq 3d262bb, mask_tokens_dataset.py.
/// </summary>
public static class TextMasker
{
    /// <summary>Specials at the start of every vocabulary, never drawn as random tokens.</summary>
    private const int Specials = 4;

    /// <summary>Masks one sequence.</summary>
    /// <param name="ids">Clean ids, specials included, no padding.</param>
    /// <param name="maskId">The mask token.</param>
    /// <param name="vocabulary">Number of ids.</param>
    /// <param name="config">Style and shares.</param>
    /// <param name="random">Where draws come from; consumed in a fixed order.</param>
    /// <returns>Ids for the student, and which positions were selected.</returns>
    public static (int[] Source, bool[] Selected) Mask(
        ReadOnlySpan<int> ids, int maskId, int vocabulary, TextMaskConfig config, PhiloxStream random)
    {
        var size = ids.Length;
        var length = config.Style == TextMaskStyle.Span ? config.Length : 1;
        var count = Math.Min(size, (int)(config.Probability * size / length + random.NextDouble()));
        var selected = new bool[size];
        foreach (var start in random.SampleWithoutReplacement(size, count))
            for (var i = start; i < Math.Min(size, start + length); i++) selected[i] = true;

        var source = ids.ToArray();
        var change = config.Style == TextMaskStyle.Bert ? config.LeaveUnmasked + config.Random : 0;
        for (var i = 0; i < size; i++)
        {
            if (!selected[i]) continue;
            source[i] = maskId;
            if (change <= 0 || random.NextDouble() >= change) continue;
            source[i] = random.NextDouble() < config.LeaveUnmasked / change
                ? ids[i]
                : Specials + random.NextInt(vocabulary - Specials);
        }
        return (source, selected);
    }
}
