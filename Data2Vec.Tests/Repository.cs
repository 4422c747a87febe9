namespace Data2Vec.Tests;

/// <summary>Where the sources of this project lie, for tests that read them.</summary>
internal static class Repository
{
    /// <summary>The folder that holds Data2Vec.sln.</summary>
    public static string Root { get; } = FindRoot();

    public static bool IsBuildOutput(string path)
    {
        var parts = Path.GetRelativePath(Root, path).Split(Path.DirectorySeparatorChar);
        return parts.Contains("bin") || parts.Contains("obj");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Data2Vec.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Data2Vec.sln.");
    }
}
