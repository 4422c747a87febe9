using IOPath = System.IO.Path;

namespace Data2Vec.Tests;

/// <summary>Where the recorded inputs and outputs of the published implementations lie.</summary>
internal static class Fixtures
{
    /// <summary>The copies that belong to this repository.</summary>
    public static string CopiedRoot { get; } = IOPath.Combine(Repository.Root, "Data2Vec.Tests", "Fixtures");

    /// <summary>The full collection beside the clone (../shared/fixtures), or null where there is none.</summary>
    public static string? SharedRoot { get; } = FindShared();

    /// <summary>A file of a suite: the copy in this repository where there is one, else the one beside it.</summary>
    public static string Path(string suite, string file) =>
        TryPath(suite, file) ?? throw new FileNotFoundException(
            $"The fixture {suite}/{file} is neither copied into {CopiedRoot} nor in " +
            $"{SharedRoot ?? "../shared/fixtures"}.");

    /// <summary>As <see cref="Path"/>, or null where neither place has the file.</summary>
    public static string? TryPath(string suite, string file) =>
        Roots.Select(root => IOPath.Combine(root, suite, file)).FirstOrDefault(File.Exists);

    /// <summary>Every folder that holds this suite: the copy first, then the one beside the clone.</summary>
    public static IEnumerable<string> Folders(string suite) =>
        Roots.Select(root => IOPath.Combine(root, suite)).Where(Directory.Exists);

    private static IEnumerable<string> Roots => SharedRoot is null ? [CopiedRoot] : [CopiedRoot, SharedRoot];

    private static string? FindShared()
    {
        var folder = IOPath.GetFullPath(IOPath.Combine(Repository.Root, "..", "shared", "fixtures"));
        return Directory.Exists(folder) ? folder : null;
    }
}
