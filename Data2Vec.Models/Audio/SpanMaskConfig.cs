namespace Data2Vec.Models;

/// <summary>How the rows of a batch get the same number of masked frames.</summary>
public enum SpanEqualisation
{
    /// <summary>They do not.</summary>
    None,
    /// <summary>
    /// Rows with more than the smallest keep a random subset of their frames (published pre-training).
    /// </summary>
    ToSmallest,
    /// <summary>Rows with less than the largest get random other frames.</summary>
    ToLargest,
}

/// <summary>How spans of frames (or of channels) are masked.</summary>
/// <param name="Probability">Share of frames selected, counted before spans overlap.</param>
/// <param name="Length">Frames of a span.</param>
/// <param name="MinimumSpans">Spans of a row at least.</param>
/// <param name="Equalise">How rows get equal counts.</param>
/// <param name="Dropout">Share of the masked frames that are un-masked again.</param>
/// <param name="StartAnywhere">
/// A span may start at any frame and is cut at the end; otherwise starts lie so that whole spans fit and the last frame
/// stays visible.
/// </param>
public sealed record SpanMaskConfig(
    double Probability = 0.65, int Length = 10, int MinimumSpans = 1,
    SpanEqualisation Equalise = SpanEqualisation.ToSmallest, double Dropout = 0, bool StartAnywhere = false)
{
    /// <summary>Refuses settings that no mask can follow.</summary>
    /// <exception cref="ArgumentException">A share is negative or not finite, or a count is out of range.</exception>
    public void Check()
    {
        if (!(Probability >= 0) || double.IsInfinity(Probability))
            throw new ArgumentException($"Span masks: the probability is {Probability}; expected a finite share >= 0.");
        if (Length < 1) throw new ArgumentException($"Span masks: the length is {Length}; expected at least 1.");
        if (MinimumSpans < 0)
            throw new ArgumentException($"Span masks: the minimum is {MinimumSpans} spans; expected at least 0.");
        if (Dropout is not (>= 0 and < 1))
            throw new ArgumentException($"Span masks: the dropout is {Dropout}; expected a share in [0, 1).");
    }
}
