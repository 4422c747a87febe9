using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Data2Vec.Models.Text;

/// <summary>
/// The tokens (in id order) and merges (in rank order) of a byte-level BPE, as the published files
/// <c>vocab.json</c> and <c>merges.txt</c> hold them. Bytes are written as printable characters (a space is U+0120).
/// </summary>
public sealed class BpeVocabulary
{
    private const string VocabularyFile = "vocab.json";
    private const string MergesFile = "merges.txt";

    private readonly Dictionary<string, int> ids;

    /// <summary>A vocabulary from its tokens and merges.</summary>
    /// <param name="tokens">Token texts; the index is the id.</param>
    /// <param name="merges">Pairs of tokens whose concatenation is a token; the index is the rank.</param>
    /// <exception cref="InvalidDataException">
    /// A token occurs twice, or a merge has a part or a result that is no token.
    /// </exception>
    public BpeVocabulary(IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges)
        : this(tokens, merges, "the vocabulary", "the merges") { }

    private BpeVocabulary(
        IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges, string vocabularyName,
        string mergesName)
    {
        Tokens = tokens;
        Merges = merges;
        ids = new Dictionary<string, int>(tokens.Count, StringComparer.Ordinal);
        for (var id = 0; id < tokens.Count; id++)
            if (!ids.TryAdd(tokens[id], id))
                throw new InvalidDataException(
                    $"{vocabularyName}: the token \"{tokens[id]}\" has two ids, {ids[tokens[id]]} and {id}.");
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            foreach (var part in (string[])[left, right, left + right])
                if (!ids.ContainsKey(part))
                    throw new InvalidDataException(
                        $"{mergesName}: merge {rank + 1}, \"{left} {right}\", needs the token \"{part}\", which "
                        + $"{vocabularyName} lacks.");
        }
    }

    /// <summary>Token texts; the index is the id.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>Merges; the index is the rank. Where a pair occurs twice, its last rank counts.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges { get; }

    /// <summary>The id of a token text, or null.</summary>
    public int? IdOf(string token) => ids.TryGetValue(token, out var id) ? id : null;

    /// <summary>The same vocabulary with one more token at the end (RoBERTa keeps its mask token there).</summary>
    /// <exception cref="InvalidDataException">The token exists already.</exception>
    public BpeVocabulary Append(string token) => new([.. Tokens, token], Merges);

    /// <summary>Reads <c>vocab.json</c> and <c>merges.txt</c> of a folder.</summary>
    /// <exception cref="InvalidDataException">
    /// A file is not UTF-8 or not in the published layout; ids are repeated or not 0, 1, 2, ...; a merge names an
    /// unknown token.
    /// </exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static BpeVocabulary Load(string folder)
    {
        var vocabularyPath = Path.Combine(folder, VocabularyFile);
        var mergesPath = Path.Combine(folder, MergesFile);
        return new BpeVocabulary(ReadTokens(vocabularyPath), ReadMerges(mergesPath), vocabularyPath, mergesPath);
    }

    /// <summary>Writes <c>vocab.json</c> and <c>merges.txt</c> into a folder, which is created if missing.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        using var memory = new MemoryStream();
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(memory, options))
        {
            writer.WriteStartObject();
            for (var id = 0; id < Tokens.Count; id++) writer.WriteNumber(Tokens[id], id);
            writer.WriteEndObject();
        }
        var text = new StringBuilder("#version: 0.2\n");
        foreach (var (left, right) in Merges) text.Append(left).Append(' ').Append(right).Append('\n');
        Replace(Path.Combine(folder, VocabularyFile), memory.ToArray());
        Replace(Path.Combine(folder, MergesFile), Encoding.UTF8.GetBytes(text.ToString()));
    }

    // Through a second name, so that a stop in the middle never leaves half a file under the real one.
    private static void Replace(string path, byte[] content)
    {
        File.WriteAllBytes(path + ".tmp", content);
        File.Move(path + ".tmp", path, overwrite: true);
    }

    private static string[] ReadTokens(string path)
    {
        var found = new Dictionary<string, int>(StringComparer.Ordinal);
        try
        {
            var reader = new Utf8JsonReader(Utf8Text.ReadBytes(path).Span);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new InvalidDataException($"{path}: expected one JSON object of token texts and ids.");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var token = reader.GetString()!;
                if (!reader.Read() || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var id))
                    throw new InvalidDataException($"{path}: the id of token \"{token}\" is not a whole number.");
                if (!found.TryAdd(token, id))
                    throw new InvalidDataException($"{path}: the token \"{token}\" occurs twice.");
            }
            reader.Read();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path}: not valid JSON: {error.Message}", error);
        }
        if (found.Count == 0) throw new InvalidDataException($"{path}: the vocabulary is empty.");
        return InOrder(path, found);
    }

    private static string[] InOrder(string path, Dictionary<string, int> found)
    {
        var tokens = new string[found.Count];
        foreach (var (token, id) in found)
        {
            if (id < 0 || id >= tokens.Length)
                throw new InvalidDataException(
                    $"{path}: token \"{token}\" has id {id}, but the {tokens.Length} tokens must have the ids 0 to "
                    + $"{tokens.Length - 1} without gaps.");
            if (tokens[id] is not null)
                throw new InvalidDataException(
                    $"{path}: id {id} belongs to two tokens, \"{tokens[id]}\" and \"{token}\".");
            tokens[id] = token;
        }
        return tokens;
    }

    private static List<(string, string)> ReadMerges(string path)
    {
        var merges = new List<(string, string)>();
        var lines = Utf8Text.Read(path).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].TrimEnd('\r');
            if (i == 0 && line.StartsWith("#version", StringComparison.Ordinal)) continue;
            if (line.Length == 0 && i == lines.Length - 1) continue;
            var space = line.IndexOf(' ');
            if (space <= 0 || space == line.Length - 1 || line.IndexOf(' ', space + 1) >= 0)
                throw new InvalidDataException(
                    $"{path}, line {i + 1}: expected two tokens separated by one space, found \"{line}\".");
            merges.Add((line[..space], line[(space + 1)..]));
        }
        return merges;
    }
}
