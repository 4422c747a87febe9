namespace Data2Vec.Models.Text;

/// <summary>Makes sequences of texts and pairs of texts: added tokens, truncation, padding.</summary>
public static class SequenceBuilder
{
    /// <summary>One text or pair. An empty second text counts as none, as in the published tokenizer.</summary>
    /// <exception cref="ArgumentException">An option is missing or the texts cannot be cut so far.</exception>
    public static TokenSequence Encode(
        this ByteLevelBpe tokenizer, string first, string? second = null, SequenceOptions? options = null)
    {
        options ??= SequenceOptions.Default;
        return Pad(tokenizer, [Build(tokenizer, first, second == "" ? null : second, options)], options)[0];
    }

    /// <summary>A batch of texts or pairs. Unlike in <see cref="Encode"/>, an empty second text stays one.</summary>
    /// <exception cref="ArgumentException">An option is missing or the texts cannot be cut so far.</exception>
    public static TokenSequence[] EncodeBatch(
        this ByteLevelBpe tokenizer, IEnumerable<(string First, string? Second)> texts, SequenceOptions? options = null)
    {
        options ??= SequenceOptions.Default;
        return Pad(tokenizer, [.. texts.Select(t => Build(tokenizer, t.First, t.Second, options))], options);
    }

    private static TokenSequence Build(ByteLevelBpe tokenizer, string first, string? second, SequenceOptions options)
    {
        var a = tokenizer.Tokenize(first, options.Tokenize);
        var b = second is null ? null : tokenizer.Tokenize(second, options.Tokenize);
        if (options.Truncation != Truncation.None) Truncate(a, b, options);
        var items = new List<(TokenSpan Span, int? Sequence)>();
        void Added(int id)
        {
            if (options.AddSpecialTokens) items.Add((new TokenSpan(id, 0, 0), null));
        }
        Added(tokenizer.BosId);
        items.AddRange(a.Select(t => (t, (int?)0)));
        Added(tokenizer.EosId);
        if (b is not null)
        {
            Added(tokenizer.EosId);
            items.AddRange(b.Select(t => (t, (int?)1)));
            Added(tokenizer.EosId);
        }
        return new TokenSequence
        {
            Ids = [.. items.Select(i => i.Span.Id)],
            Offsets = [.. items.Select(i => (i.Span.Start, i.Span.End))],
            AttentionMask = [.. items.Select(_ => (byte)1)],
            SpecialMask = [.. items.Select(i => (byte)(i.Sequence is null ? 1 : 0))],
            SequenceIds = [.. items.Select(i => i.Sequence)],
        };
    }

    private static void Truncate(List<TokenSpan> a, List<TokenSpan>? b, SequenceOptions options)
    {
        var length = options.MaxLength
            ?? throw new ArgumentException("Truncation needs a maximal length; none is given.");
        var added = !options.AddSpecialTokens ? 0 : b is null ? 2 : 4;
        var room = length - added;
        if (room < 0)
            throw new ArgumentException(
                $"A maximal length of {length} tokens has no room for the {added} tokens that are added.");
        var excess = a.Count + (b?.Count ?? 0) - room;
        if (excess <= 0) return;
        if (options.Truncation == Truncation.LongestFirst) CutLongest(a, b, room, options.TruncateLeft);
        else if (options.Truncation == Truncation.OnlyFirst) Cut("first", a, a.Count - excess, options.TruncateLeft);
        else if (b is not null) Cut("second", b, b.Count - excess, options.TruncateLeft);
        else throw new ArgumentException("Only the second text may be cut, but there is no second text.");
    }

    private static void CutLongest(List<TokenSpan> a, List<TokenSpan>? b, int room, bool left)
    {
        if (b is null)
        {
            Keep(a, room, left);
            return;
        }
        var (small, large) = a.Count > b.Count ? (b, a) : (a, b);
        var few = small.Count;
        var many = few > room ? few : Math.Max(few, room - few);
        if (few + many > room)
        {
            few = room / 2;
            many = room - few;
        }
        Keep(small, few, left);
        Keep(large, many, left);
    }

    private static void Cut(string which, List<TokenSpan> tokens, int keep, bool left)
    {
        if (keep <= 0)
            throw new ArgumentException(
                $"The {which} text has {tokens.Count} tokens; {tokens.Count - keep} must go, and one must stay.");
        Keep(tokens, keep, left);
    }

    private static void Keep(List<TokenSpan> tokens, int count, bool left)
    {
        if (count < tokens.Count) tokens.RemoveRange(left ? 0 : count, tokens.Count - count);
    }

    private static TokenSequence[] Pad(ByteLevelBpe tokenizer, TokenSequence[] batch, SequenceOptions options)
    {
        if (options.Padding == Padding.None || batch.Length == 0) return batch;
        var length = options.Padding == Padding.Longest
            ? batch.Max(s => s.Ids.Length)
            : options.MaxLength
                ?? throw new ArgumentException("Padding to a maximal length needs one; none is given.");
        length = (length + options.PadToMultipleOf - 1) / options.PadToMultipleOf * options.PadToMultipleOf;
        return Array.ConvertAll(batch, s => new TokenSequence
        {
            Ids = Fill(s.Ids, tokenizer.PadId, length, options.PadLeft),
            Offsets = Fill(s.Offsets, (0, 0), length, options.PadLeft),
            AttentionMask = Fill(s.AttentionMask, (byte)0, length, options.PadLeft),
            SpecialMask = Fill(s.SpecialMask, (byte)1, length, options.PadLeft),
            SequenceIds = Fill(s.SequenceIds, null, length, options.PadLeft),
        });
    }

    private static T[] Fill<T>(T[] values, T filler, int length, bool left)
    {
        if (values.Length >= length) return values;
        var padding = Enumerable.Repeat(filler, length - values.Length);
        return left ? [.. padding, .. values] : [.. values, .. padding];
    }
}
