using System.Runtime.InteropServices;

namespace Data2Vec.Models.Text;

/// <summary>What a byte-level BPE is trained with.</summary>
public sealed record BpeTrainingOptions
{
    /// <summary>Training stops at this number of tokens, special tokens and alphabet included.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Pairs seen less often than this are not merged.</summary>
    public long MinFrequency { get; init; } = 2;

    /// <summary>True: all 256 bytes are tokens; false: only those seen, so that other text cannot be encoded.</summary>
    public bool WholeAlphabet { get; init; } = true;

    /// <summary>Tokens that get the first ids, in this order.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["<s>", "<pad>", "</s>", "<unk>"];
}

/// <summary>
/// Trains a byte-level BPE: repeatedly merges the pair of neighbouring tokens with the highest count over all pieces
/// (overlaps counted; ties: the smaller left id, then the smaller right id).
/// </summary>
/// <remarks>
/// Incremental: a merge revisits only the pieces that hold the pair, and only the stretch of a piece it changes.
/// The queue is lazy: an entry whose count has fallen is put back with its present count when it comes up. The result
/// is that of a full recount before every merge.
/// </remarks>
public sealed class BpeTrainer
{
    private readonly BpeTrainingOptions options;
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    private readonly List<string> tokens = [];
    private readonly List<(string, string)> merges = [];
    private readonly Dictionary<Pair, long> counts = [];
    private readonly Dictionary<Pair, List<int>> places = [];
    private readonly PriorityQueue<Pair, Rank> queue = new();
    private Piece[] pieces = [];

    private BpeTrainer(BpeTrainingOptions options) => this.options = options;

    private readonly record struct Pair(int Left, int Right);

    private readonly record struct Rank(long Count, Pair Pair) : IComparable<Rank>
    {
        public int CompareTo(Rank other)
        {
            if (Count != other.Count) return other.Count.CompareTo(Count);
            return Pair.Left != other.Pair.Left
                ? Pair.Left.CompareTo(other.Pair.Left)
                : Pair.Right.CompareTo(other.Pair.Right);
        }
    }

    private struct Piece
    {
        public int[] Symbols;
        public int Length;
        public long Count;
    }

    /// <summary>Trains on documents; no piece crosses the border of two documents.</summary>
    /// <returns>Special tokens, the alphabet by code point, then merged tokens in order of creation.</returns>
    /// <exception cref="ArgumentException">The size is too small to hold special tokens and alphabet.</exception>
    public static BpeVocabulary Train(IEnumerable<string> documents, BpeTrainingOptions options)
    {
        var trainer = new BpeTrainer(options);
        trainer.CountPieces(documents);
        trainer.CountPairs();
        trainer.Merge();
        return new BpeVocabulary(trainer.tokens, trainer.merges);
    }

    private void CountPieces(IEnumerable<string> documents)
    {
        var seen = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = seen.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var document in documents)
        {
            var text = document.AsSpan();
            for (int start = 0, end; start < text.Length; start = end)
            {
                end = PieceScanner.End(text, start);
                CollectionsMarshal.GetValueRefOrAddDefault(lookup, text[start..end], out _)++;
            }
        }
        var mapped = seen.Select(p => (Text: ByteCharacters.Encode(p.Key), p.Value)).ToArray();
        AddAlphabet(mapped.Select(p => p.Text));
        pieces = Array.ConvertAll(mapped, p => new Piece
        {
            Symbols = Array.ConvertAll(p.Text.ToCharArray(), c => ids[c.ToString()]),
            Length = p.Text.Length,
            Count = p.Value,
        });
    }

    private void AddAlphabet(IEnumerable<string> texts)
    {
        foreach (var token in options.SpecialTokens) IdFor(token);
        var alphabet = new SortedSet<char>();
        if (options.WholeAlphabet) for (var b = 0; b < 256; b++) alphabet.Add(ByteCharacters.Of((byte)b));
        foreach (var text in texts) foreach (var c in text) alphabet.Add(c);
        foreach (var c in alphabet) IdFor(c.ToString());
        if (tokens.Count > options.VocabularySize)
            throw new ArgumentException(
                $"A vocabulary of {options.VocabularySize} tokens cannot hold the {tokens.Count} special tokens and "
                + "characters of the alphabet.");
    }

    private int IdFor(string token)
    {
        ref var id = ref CollectionsMarshal.GetValueRefOrAddDefault(ids, token, out var exists);
        if (exists) return id;
        id = tokens.Count;
        tokens.Add(token);
        return id;
    }

    private void CountPairs()
    {
        for (var p = 0; p < pieces.Length; p++)
        {
            ref var piece = ref pieces[p];
            Tally(piece, 0, piece.Length, piece.Count);
            for (var i = 0; i + 1 < piece.Length; i++) AddPlace(new Pair(piece.Symbols[i], piece.Symbols[i + 1]), p);
        }
        foreach (var (pair, count) in counts) queue.Enqueue(pair, new Rank(count, pair));
    }

    private void Merge()
    {
        while (tokens.Count < options.VocabularySize && queue.TryDequeue(out var pair, out var rank))
        {
            var count = counts.GetValueOrDefault(pair);
            if (count != rank.Count)
            {
                // A risen count has its own newer entry.
                if (count > 0 && count < rank.Count) queue.Enqueue(pair, new Rank(count, pair));
                continue;
            }
            if (count < Math.Max(1, options.MinFrequency)) break;
            Merge(pair);
        }
    }

    private void Merge(Pair pair)
    {
        var (left, right) = (tokens[pair.Left], tokens[pair.Right]);
        var merged = IdFor(left + right);
        merges.Add((left, right));
        places.Remove(pair, out var where);
        var touched = new HashSet<Pair>();
        foreach (var p in where!) Replace(ref pieces[p], p, pair, merged, touched);
        counts.Remove(pair);
        foreach (var changed in touched)
            if (counts.GetValueOrDefault(changed) is var count and > 0)
                queue.Enqueue(changed, new Rank(count, changed));
    }

    private void Replace(ref Piece piece, int index, Pair pair, int merged, HashSet<Pair> touched)
    {
        var symbols = piece.Symbols;
        var first = Find(symbols, 0, piece.Length, pair);
        if (first < 0) return;
        var before = Math.Max(0, first - 1);
        int last = first, write = first;
        for (var at = first; at >= 0; at = Find(symbols, at + 2, piece.Length, pair)) last = at;
        var after = Math.Min(piece.Length, last + 3);
        Tally(piece, before, after, -piece.Count);
        for (var read = first; read < piece.Length; write++)
        {
            var match = read + 1 < piece.Length && symbols[read] == pair.Left && symbols[read + 1] == pair.Right;
            symbols[write] = match ? merged : symbols[read];
            read += match ? 2 : 1;
        }
        after -= piece.Length - write;
        piece.Length = write;
        Tally(piece, before, after, piece.Count);
        for (var i = before; i + 1 < after; i++)
        {
            if (symbols[i] != merged && symbols[i + 1] != merged) continue;
            var created = new Pair(symbols[i], symbols[i + 1]);
            touched.Add(created);
            AddPlace(created, index);
        }
    }

    private static int Find(int[] symbols, int start, int length, Pair pair)
    {
        for (var i = start; i + 1 < length; i++)
            if (symbols[i] == pair.Left && symbols[i + 1] == pair.Right) return i;
        return -1;
    }

    private void Tally(in Piece piece, int start, int end, long by)
    {
        for (var i = start; i + 1 < end; i++)
            CollectionsMarshal.GetValueRefOrAddDefault(
                counts, new Pair(piece.Symbols[i], piece.Symbols[i + 1]), out _) += by;
    }

    private void AddPlace(Pair pair, int piece)
    {
        ref var list = ref CollectionsMarshal.GetValueRefOrAddDefault(places, pair, out _);
        list ??= [];
        // Only neighbouring repeats are dropped; a piece without the pair is passed over when its turn comes.
        if (list.Count == 0 || list[^1] != piece) list.Add(piece);
    }
}
