using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace Data2Vec.Models.Text;

/// <summary>
/// The byte-level BPE tokenizer of RoBERTa and Data2VecText: special tokens are found first (leftmost, longest), the
/// rest is cut into pieces by code points, and Microsoft.ML.Tokenizers merges the bytes of each piece.
/// </summary>
/// <remarks>
/// Safe for use by several threads. A lone surrogate in the text is read as U+FFFD.
/// Nothing is lost: decoding the ids of text without special tokens gives the text back.
/// </remarks>
public sealed class ByteLevelBpe
{
    /// <summary>Begin, padding, end, unknown and mask, in this order.</summary>
    public static IReadOnlyList<string> SpecialTokens { get; } = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];

    private const int CachedPieces = 1 << 17;
    private const int LongestCachedPiece = 32;
    private static readonly SearchValues<string> AnySpecial =
        SearchValues.Create([.. SpecialTokens], StringComparison.Ordinal);

    private readonly BpeTokenizer merger;
    private readonly int[] specialIds;
    private readonly byte[][] tokenBytes;
    private readonly ConcurrentDictionary<string, int[]> cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> lookup;

    /// <summary>A tokenizer over a vocabulary.</summary>
    /// <exception cref="InvalidDataException">The vocabulary lacks a special token or one of the 256 bytes.</exception>
    public ByteLevelBpe(BpeVocabulary vocabulary)
    {
        Vocabulary = vocabulary;
        specialIds = [.. SpecialTokens.Select(t => vocabulary.IdOf(t)
            ?? throw new InvalidDataException($"The vocabulary lacks the special token \"{t}\"."))];
        for (var b = 0; b < 256; b++)
            if (vocabulary.IdOf(ByteCharacters.Of((byte)b).ToString()) is null)
                throw new InvalidDataException(
                    $"The vocabulary lacks byte {b}, written \"{ByteCharacters.Of((byte)b)}\"; a byte-level vocabulary "
                    + "must hold all 256.");
        tokenBytes = [.. vocabulary.Tokens.Select(ByteCharacters.Decode)];
        merger = BpeTokenizer.Create(new BpeOptions(
            vocabulary.Tokens.Select((token, id) => KeyValuePair.Create(token, id)))
        {
            // The last of two equal pairs decides, as in the published tokenizers.
            Merges = vocabulary.Merges.Reverse().Distinct().Reverse().Select(m => $"{m.Left} {m.Right}"),
            ByteLevel = true,
            PreTokenizer = RobertaPreTokenizer.Instance,
        });
        lookup = cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Tokens and merges.</summary>
    public BpeVocabulary Vocabulary { get; }

    /// <summary>Number of token ids.</summary>
    public int Count => Vocabulary.Tokens.Count;

    /// <summary>Id of <c>&lt;s&gt;</c>, which opens every sequence.</summary>
    public int BosId => specialIds[0];

    /// <summary>Id of <c>&lt;pad&gt;</c>.</summary>
    public int PadId => specialIds[1];

    /// <summary>Id of <c>&lt;/s&gt;</c>, which closes every sequence.</summary>
    public int EosId => specialIds[2];

    /// <summary>Id of <c>&lt;unk&gt;</c>; no text needs it.</summary>
    public int UnkId => specialIds[3];

    /// <summary>Id of <c>&lt;mask&gt;</c>.</summary>
    public int MaskId => specialIds[4];

    /// <summary>Reads <c>vocab.json</c> and <c>merges.txt</c> of a folder.</summary>
    /// <exception cref="InvalidDataException">See <see cref="BpeVocabulary.Load"/>.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static ByteLevelBpe Load(string folder) => new(BpeVocabulary.Load(folder));

    /// <summary>Trains a tokenizer: special tokens first, mask token last, as in the published vocabulary.</summary>
    /// <param name="documents">The texts.</param>
    /// <param name="size">Number of token ids, reached unless the text holds too few repeated pairs.</param>
    /// <exception cref="ArgumentException">The size cannot hold the 256 bytes and the special tokens.</exception>
    public static ByteLevelBpe Train(IEnumerable<string> documents, int size) =>
        new(BpeTrainer.Train(documents, new BpeTrainingOptions { VocabularySize = size - 1 }).Append("<mask>"));

    /// <summary>True for the ids of the five special tokens.</summary>
    public bool IsSpecial(int id) => Array.IndexOf(specialIds, id) >= 0;

    /// <summary>The tokens of a text, without <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c> around them.</summary>
    public List<TokenSpan> Tokenize(string text, TokenizeOptions? options = null)
    {
        var walk = new Walk(this, ValidUtf16(text), options ?? TokenizeOptions.Default);
        walk.Run();
        return walk.Tokens;
    }

    /// <summary>The ids that <see cref="Tokenize"/> gives, in less time: no offsets are computed.</summary>
    public List<int> TokenizeToIds(string text)
    {
        if (text.AsSpan().ContainsAny(AnySpecial)) return Tokenize(text).ConvertAll(t => t.Id);
        var ids = new List<int>();
        var span = ValidUtf16(text).AsSpan();
        for (int start = 0, end; start < span.Length; start = end)
        {
            end = PieceScanner.End(span, start);
            ids.AddRange(PieceIds(span[start..end]));
        }
        return ids;
    }

    /// <summary>The text of ids. Bytes that are not valid UTF-8 become U+FFFD, one per maximal broken part.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">True: special tokens are left out; false: they are written.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)tokenBytes.Length)
                throw new ArgumentOutOfRangeException(
                    nameof(ids), $"Token id {id} is not in the vocabulary of {Count} tokens.");
            if (!skipSpecialTokens || !IsSpecial(id)) bytes.Write(tokenBytes[id]);
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private int[] PieceIds(ReadOnlySpan<char> piece)
    {
        if (lookup.TryGetValue(piece, out var known)) return known;
        var text = piece.ToString();
        var ids = merger.EncodeToIds(text, considerPreTokenization: false, considerNormalization: false).ToArray();
        if (piece.Length <= LongestCachedPiece && cache.Count < CachedPieces) cache.TryAdd(text, ids);
        return ids;
    }

    private static string ValidUtf16(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1])) i++;
            else return string.Create(text.Length, text, static (span, source) => Repair(source, span));
        }
        return text;
    }

    private static void Repair(ReadOnlySpan<char> source, Span<char> target)
    {
        for (int at = 0, length; at < source.Length; at += length)
            if (Rune.DecodeFromUtf16(source[at..], out _, out length) == OperationStatus.Done)
                source.Slice(at, length).CopyTo(target[at..]);
            else target.Slice(at, length).Fill('\uFFFD');
    }

    /// <summary>One pass over one text; positions are kept in UTF-16 units and in code points side by side.</summary>
    private sealed class Walk(ByteLevelBpe owner, string text, TokenizeOptions options)
    {
        private int position;
        private int codePoint;

        public List<TokenSpan> Tokens { get; } = [];

        public void Run()
        {
            while (!options.SplitSpecialTokens && NextSpecial(out var start, out var special))
            {
                var left = start;
                if (SpecialTokens[special] == "<mask>" && options.MaskSwallowsSpace)
                    while (left > position && char.IsWhiteSpace(text[left - 1])) left--;
                Plain(left);
                // White space is never beyond U+FFFF, so units are code points here.
                var from = codePoint;
                codePoint += start - left + SpecialTokens[special].Length;
                Add(owner.specialIds[special], from, codePoint, start - left, 0);
                position = start + SpecialTokens[special].Length;
            }
            Plain(text.Length);
        }

        private bool NextSpecial(out int start, out int special)
        {
            special = -1;
            start = text.AsSpan(position).IndexOfAny(AnySpecial);
            if (start < 0) return false;
            start += position;
            for (var i = 0; i < SpecialTokens.Count; i++)
                if (string.CompareOrdinal(text, start, SpecialTokens[i], 0, SpecialTokens[i].Length) == 0
                    && (special < 0 || SpecialTokens[i].Length > SpecialTokens[special].Length))
                    special = i;
            return true;
        }

        private void Plain(int end)
        {
            if (position == end) return;
            var part = text.AsSpan(position, end - position);
            var added = options.AddPrefixSpace && part[0] != ' ' ? 1 : 0;
            if (added == 1) part = " " + part.ToString();
            for (int start = 0, stop; start < part.Length; start = stop)
            {
                stop = PieceScanner.End(part, start);
                Piece(part[start..stop], start == 0 ? added : 0);
            }
            position = end;
        }

        private void Piece(ReadOnlySpan<char> piece, int added)
        {
            // byte -> code point of the piece that it belongs to
            Span<byte> utf8 = stackalloc byte[4];
            var owners = new List<int>(piece.Length);
            var points = 0;
            foreach (var rune in piece.EnumerateRunes())
            {
                for (var b = rune.EncodeToUtf8(utf8); b > 0; b--) owners.Add(points);
                points++;
            }
            var first = 0;
            foreach (var id in owner.PieceIds(piece))
            {
                var token = owner.Vocabulary.Tokens[id];
                // The added space shares the range of the first character.
                var start = codePoint + Math.Max(0, owners[first] - added);
                var end = codePoint + Math.Max(1, owners[first + token.Length - 1] + 1 - added);
                Add(id, start, end, SpacesAtStart(token), SpacesAtEnd(token));
                first += token.Length;
            }
            codePoint += points - added;
        }

        private static int SpacesAtStart(string token) =>
            token.Length - token.AsSpan().TrimStart(ByteCharacters.Space).Length;

        private static int SpacesAtEnd(string token) =>
            token.Length - token.AsSpan().TrimEnd(ByteCharacters.Space).Length;

        private void Add(int id, int start, int end, int leading, int trailing)
        {
            if (options.TrimOffsets)
            {
                // One space before the first token counts as the added one, which is not in the range anyway.
                if (leading == 1 && options.AddPrefixSpace && (Tokens.Count == 0 || start == 0)) leading = 0;
                start = Math.Min(start + leading, end);
                if (end >= trailing) end = Math.Max(end - trailing, start);
            }
            Tokens.Add(new TokenSpan(id, start, end));
        }
    }
}
