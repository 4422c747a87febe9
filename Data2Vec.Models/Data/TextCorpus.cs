using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Data2Vec.Models.Data;

/// <summary>One document of a text corpus.</summary>
/// <param name="Text">The text, on one line, without leading or trailing white space.</param>
/// <param name="Source">The assembly or file that it comes from.</param>
/// <param name="Kind">
/// What a documented member is: T type, M method, P property, F field, E event; '\0' for other text.
/// </param>
/// <param name="HeldOut">True: kept away from training, for probes.</param>
public sealed record TextDocument(string Text, string Source, char Kind, bool HeldOut)
{
    /// <summary>What a probe can ask for: the kind of member, or the file where there is none.</summary>
    public string Class => Kind == '\0' ? Source : Kind.ToString();
}

/// <summary>What one source gave to a corpus.</summary>
/// <param name="Name">Assembly or file.</param>
/// <param name="Documents">Documents used, duplicates of earlier ones not counted.</param>
/// <param name="Characters">Characters of those documents.</param>
/// <param name="HeldOut">Held-out documents among them.</param>
public sealed record CorpusSource(string Name, int Documents, long Characters, int HeldOut);

/// <summary>A collection of documents with a held-out part and a digest of the whole.</summary>
public sealed class TextCorpus
{
    internal TextCorpus(string name, IReadOnlyList<TextDocument> documents, IReadOnlyList<string> skipped)
    {
        Name = name;
        Documents = documents;
        Skipped = skipped;
        Training = [.. documents.Where(d => !d.HeldOut)];
        HeldOut = [.. documents.Where(d => d.HeldOut)];
        Sources = [.. documents.GroupBy(d => d.Source).Select(g => new CorpusSource(
            g.Key, g.Count(), g.Sum(d => (long)d.Text.Length), g.Count(d => d.HeldOut)))];
        Digest = Hash(documents);
    }

    /// <summary>One line on where the corpus comes from.</summary>
    public string Name { get; }

    /// <summary>Every document, in an order that does not depend on the file system.</summary>
    public IReadOnlyList<TextDocument> Documents { get; }

    /// <summary>The documents to train on.</summary>
    public IReadOnlyList<TextDocument> Training { get; }

    /// <summary>The documents kept for probes.</summary>
    public IReadOnlyList<TextDocument> HeldOut { get; }

    /// <summary>What each source gave.</summary>
    public IReadOnlyList<CorpusSource> Sources { get; }

    /// <summary>Files that could not be read, each with the reason.</summary>
    public IReadOnlyList<string> Skipped { get; }

    /// <summary>What <see cref="TextDocument.Class"/> is in this corpus.</summary>
    public string ClassName => Documents.Any(d => d.Kind != '\0') ? "member kind" : "file of the document";

    /// <summary>SHA-256, in hexadecimal, of sources, kinds, texts and split.</summary>
    public string Digest { get; }

    private static string Hash(IReadOnlyList<TextDocument> documents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> head = stackalloc byte[12];
        foreach (var document in documents)
        {
            var source = Encoding.UTF8.GetBytes(document.Source);
            var text = Encoding.UTF8.GetBytes(document.Text);
            BinaryPrimitives.WriteInt32LittleEndian(head, source.Length);
            BinaryPrimitives.WriteInt32LittleEndian(head[4..], text.Length);
            BinaryPrimitives.WriteInt32LittleEndian(head[8..], document.Kind << 1 | (document.HeldOut ? 1 : 0));
            hash.AppendData(head);
            hash.AppendData(source);
            hash.AppendData(text);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>Numbers that depend on a text alone: the same on every machine and in every run.</summary>
internal static class StableHash
{
    public static ulong Of(string text) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
