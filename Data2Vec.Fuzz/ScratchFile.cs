using Data2Vec.Models.Data;

namespace Data2Vec.Fuzz;

/// <summary>
/// A file that is filled anew for every reader that wants a path, and folders in which it goes by the names that
/// readers of folders look for. Lies among the temporary files; removed when the process ends.
/// </summary>
internal sealed class ScratchFile
{
    private readonly string folder = Directory.CreateTempSubdirectory("data2vec-fuzz-").FullName;

    private ScratchFile() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);

    /// <summary>The one of this process.</summary>
    public static ScratchFile Shared { get; } = new();

    /// <summary>Where it lies.</summary>
    public string Path => System.IO.Path.Combine(folder, "f");

    /// <summary>Fills it.</summary>
    public SampleFile Holding(byte[] bytes)
    {
        File.WriteAllBytes(Path, bytes);
        return new SampleFile("f", Path, 0, bytes.Length);
    }

    /// <summary>A folder where the file goes by a name, beside another that stays as it is.</summary>
    /// <param name="name">The name.</param>
    /// <param name="beside">Name and content of a file beside it.</param>
    public string FolderWith(string name, params (string Name, string Content)[] beside)
    {
        var made = Directory.CreateDirectory(System.IO.Path.Combine(folder, "with-" + name)).FullName;
        File.CreateSymbolicLink(System.IO.Path.Combine(made, name), Path);
        foreach (var file in beside) File.WriteAllText(System.IO.Path.Combine(made, file.Name), file.Content);
        return made;
    }
}
