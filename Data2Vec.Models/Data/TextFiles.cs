using System.Text;
using Data2Vec.Models.Text;

namespace Data2Vec.Models.Data;

/// <summary>A corpus of the user's own UTF-8 text files.</summary>
public static class TextFiles
{
    private const int HeldOutOneIn = 6;

    /// <summary>
    /// Reads files, and all <c>*.txt</c> files below folders, ordered by path. Where blank lines part a file, each
    /// block is a document (its lines joined by a space); else each line is one.
    /// </summary>
    /// <remarks>About a sixth of the documents is held out, chosen by a hash of the text alone.</remarks>
    /// <exception cref="FileNotFoundException">A path does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// A folder holds no text file; a file is empty or not UTF-8 (the message names file and byte); nothing is left to
    /// train on.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TextCorpus Load(IReadOnlyList<string> paths)
    {
        var documents = new List<TextDocument>();
        foreach (var (file, name) in paths.SelectMany(Files).DistinctBy(f => Path.GetFullPath(f.Path)))
        {
            var before = documents.Count;
            foreach (var text in Split(Utf8Text.Read(file)))
                documents.Add(new TextDocument(text, name, '\0', StableHash.Of(text) % HeldOutOneIn == 0));
            if (documents.Count == before)
                throw new InvalidDataException($"{file}: the file is empty; every data file must hold some text.");
        }
        if (documents.Count == 0) throw new InvalidDataException("No data path is given.");
        if (documents.All(d => d.HeldOut))
        {
            throw new InvalidDataException($"{string.Join(", ", paths)}: all of the data ({documents.Count} "
                + $"document{(documents.Count == 1 ? "" : "s")}) is held out for probes; training needs more text.");
        }
        return new TextCorpus(string.Join(", ", paths), documents, []);
    }

    private static IEnumerable<(string Path, string Name)> Files(string path)
    {
        if (File.Exists(path)) return [(path, Path.GetFileName(path))];
        if (!Directory.Exists(path))
            throw new FileNotFoundException($"{path}: no such file or folder; --data needs text files or folders.");
        var files = Directory.EnumerateFiles(path, "*.txt", SearchOption.AllDirectories)
            .Select(f => (Path: f, Name: Path.GetRelativePath(path, f).Replace('\\', '/')))
            .OrderBy(f => f.Name, StringComparer.Ordinal).ToArray();
        return files.Length > 0
            ? files
            : throw new InvalidDataException($"{path}: the folder holds no .txt file; --data needs text files.");
    }

    private static List<string> Split(string text)
    {
        var lines = text.Split('\n').Select(l => l.Trim()).SkipWhile(l => l.Length == 0).ToList();
        while (lines.Count > 0 && lines[^1].Length == 0) lines.RemoveAt(lines.Count - 1);
        if (!lines.Contains("")) return lines;
        var documents = new List<string>();
        var block = new StringBuilder();
        foreach (var line in lines.Append(""))
        {
            if (line.Length > 0)
            {
                if (block.Length > 0) block.Append(' ');
                block.Append(line);
            }
            else if (block.Length > 0)
            {
                documents.Add(block.ToString());
                block.Clear();
            }
        }
        return documents;
    }
}
