namespace Data2Vec.Models.Evaluation;

/// <summary>The files that a command is pointed at.</summary>
internal static class InputFiles
{
    /// <summary>Files as they are; folders searched with all below them, in the order of paths.</summary>
    /// <param name="paths">Files and folders.</param>
    /// <param name="wanted">Which files of a folder are taken.</param>
    /// <param name="kind">What is looked for, for messages.</param>
    /// <exception cref="InvalidDataException">A path does not exist, or a folder holds no such file.</exception>
    public static IReadOnlyList<string> Find(IReadOnlyList<string> paths, Func<string, bool> wanted, string kind)
    {
        // The depth ends loops of links.
        var options = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 32 };
        var found = new List<string>();
        foreach (var path in paths)
        {
            if (File.Exists(path))
            {
                found.Add(path);
                continue;
            }
            if (!Directory.Exists(path)) throw new InvalidDataException($"{path} does not exist.");
            var before = found.Count;
            found.AddRange(Directory.EnumerateFiles(path, "*", options).Where(wanted).Order(StringComparer.Ordinal));
            if (found.Count == before) throw new InvalidDataException($"{path} holds no {kind}.");
        }
        return found.Count > 0 ? found : throw new InvalidDataException($"No {kind} are named.");
    }
}
