using System.Xml;

namespace Data2Vec.Models.Data;

/// <summary>
/// The corpus for runs without data of their own: the summaries of the XML documentation found on this machine, one
/// document per member, from the .NET SDK's reference packs and from restored packages.
/// </summary>
public static class DocumentationCorpus
{
    private const double HeldOutShare = 1 / 6.0;

    /// <summary>Reads the documentation found on this machine.</summary>
    /// <exception cref="InvalidDataException">None is found; the message names the folders searched.</exception>
    public static TextCorpus Load() => Load(DocumentationFiles.Folders());

    /// <summary>Reads the documentation below the given folders.</summary>
    /// <param name="folders">Folders that are searched for XML files beside an assembly of the same name.</param>
    /// <exception cref="InvalidDataException">None is found; the message names the folders searched.</exception>
    public static TextCorpus Load(IReadOnlyList<string> folders)
    {
        var skipped = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var found = new List<(string Assembly, char Kind, string Text)>();
        foreach (var path in DocumentationFiles.Find(folders))
            if (TryRead(path, skipped) is { } members)
                foreach (var (kind, text) in members)
                    if (seen.Add(text)) found.Add((Path.GetFileNameWithoutExtension(path), kind, text));
        if (found.Count == 0)
            throw new InvalidDataException(
                $"No XML documentation was found in {string.Join(", ", folders)}; give text with --data PATH"
                + (skipped.Count == 0 ? "." : $" ({skipped.Count} files could not be read, first: {skipped[0]})."));
        var held = HeldOut(found.CountBy(f => f.Assembly));
        return new TextCorpus(
            "XML documentation of the .NET SDK and of restored packages",
            [.. found.Select(f => new TextDocument(f.Text, f.Assembly, f.Kind, held.Contains(f.Assembly)))],
            skipped);
    }

    private static List<(char Kind, string Text)>? TryRead(string path, List<string> skipped)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return DocumentationReader.Read(stream);
        }
        catch (Exception error) when (error is XmlException or IOException or UnauthorizedAccessException)
        {
            skipped.Add($"{path}: {error.Message}");
            return null;
        }
    }

    /// <summary>
    /// Whole assemblies, in the order of a hash of their names, until a sixth of the documents is reached. One that
    /// would overshoot by more than a quarter is passed over, so that a single large assembly cannot decide the share.
    /// </summary>
    private static HashSet<string> HeldOut(IEnumerable<KeyValuePair<string, int>> assemblies)
    {
        var sizes = assemblies.OrderBy(a => StableHash.Of(a.Key.ToLowerInvariant())).ToArray();
        var wanted = sizes.Sum(a => (long)a.Value) * HeldOutShare;
        var held = new HashSet<string>();
        var taken = 0L;
        foreach (var (assembly, documents) in sizes)
        {
            if (taken >= wanted) break;
            if (taken + documents > wanted * 1.25) continue;
            held.Add(assembly);
            taken += documents;
        }
        return held;
    }
}
