using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Documents with one common word masked, and which it was.</summary>
internal sealed record MaskedSet(IReadOnlyList<int[]> Sequences, IReadOnlyList<int> Positions, int[] Labels)
{
    public static MaskedSet Draw(
        IReadOnlyList<TokenizedDocument> documents, WholeWords words, IReadOnlyDictionary<int, int> classes, int maskId,
        int most, Random random)
    {
        var (sequences, positions, labels) = (new List<int[]>(), new List<int>(), new List<int>());
        foreach (var d in Shuffled(documents.Count, random))
        {
            if (sequences.Count == most) break;
            var ids = documents[d].Ids;
            var candidates = words.In(ids).FindAll(p => classes.ContainsKey(ids[p]));
            if (candidates.Count == 0) continue;
            var position = candidates[random.Next(candidates.Count)];
            labels.Add(classes[ids[position]]);
            positions.Add(position);
            var masked = (int[])ids.Clone();
            masked[position] = maskId;
            sequences.Add(masked);
        }
        return new MaskedSet(sequences, positions, [.. labels]);
    }

    /// <summary>The simple baseline sees the token before and the token after the masked word.</summary>
    public IReadOnlyList<(int, float)[]> Neighbours(int vocabularySize) => [.. Sequences.Select((ids, i) => new[]
    {
        (ids[Positions[i] - 1], 1f), (vocabularySize + ids[Positions[i] + 1], 1f),
    })];

    internal static int[] Shuffled(int count, Random random)
    {
        var order = Enumerable.Range(0, count).ToArray();
        random.Shuffle(order);
        return order;
    }
}

/// <summary>Documents of which half have two neighbouring whole words swapped.</summary>
internal sealed record ShiftSet(
    IReadOnlyList<int[]> Sequences, int[] Labels, IReadOnlyList<(int Row, string Class)> Unchanged)
{
    private const int FewestTokens = 8;

    public static ShiftSet Draw(
        IReadOnlyList<TokenizedDocument> documents, WholeWords words, int most, Random random)
    {
        var (sequences, labels, unchanged) = (new List<int[]>(), new List<int>(), new List<(int, string)>());
        foreach (var d in MaskedSet.Shuffled(documents.Count, random))
        {
            if (sequences.Count == most) break;
            var ids = documents[d].Ids;
            // Documents without a pair to swap are left out of both classes, else their length gave the answer away.
            var pairs = ids.Length < FewestTokens ? [] : words.In(ids)
                .FindAll(p => p + 2 < ids.Length && words.At(ids, p + 1) && ids[p] != ids[p + 1]);
            if (pairs.Count == 0) continue;
            // In turn, so that exactly half is swapped; the order of the documents is random already.
            var swap = sequences.Count % 2;
            if (swap == 1)
            {
                var at = pairs[random.Next(pairs.Count)];
                ids = (int[])ids.Clone();
                (ids[at], ids[at + 1]) = (ids[at + 1], ids[at]);
            }
            else unchanged.Add((sequences.Count, documents[d].Class));
            sequences.Add(ids);
            labels.Add(swap);
        }
        return new ShiftSet(sequences, [.. labels], unchanged);
    }

    /// <summary>The unchanged documents of some classes, with the number of each one's class.</summary>
    public (int[] Rows, int[] Labels) Of(IReadOnlyList<string> classes)
    {
        var numbers = classes.Select((name, number) => (name, number)).ToDictionary();
        var kept = Unchanged.Where(u => numbers.ContainsKey(u.Class)).ToArray();
        return ([.. kept.Select(u => u.Row)], [.. kept.Select(u => numbers[u.Class])]);
    }
}
