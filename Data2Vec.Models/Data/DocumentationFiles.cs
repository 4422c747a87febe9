using System.Runtime.InteropServices;

namespace Data2Vec.Models.Data;

/// <summary>Finds the XML documentation that a machine with the .NET SDK holds.</summary>
internal static class DocumentationFiles
{
    /// <summary>The folders where documentation may lie: reference packs of the SDK and restored packages.</summary>
    public static IReadOnlyList<string> Folders()
    {
        var folders = DotnetRoots().Select(r => Path.Combine(r, "packs")).ToList();
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES");
        folders.Add(string.IsNullOrEmpty(packages)
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages")
            : packages);
        return folders;
    }

    /// <summary>One file per assembly, ordered by assembly name.</summary>
    /// <remarks>
    /// Documentation lies beside its assembly, which tells it from other XML and from translations. Of an assembly
    /// that occurs several times (frameworks, versions) the longest file is taken.
    /// </remarks>
    public static IReadOnlyList<string> Find(IEnumerable<string> folders)
    {
        // The depth ends loops of links.
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 12,
        };
        return [.. folders.Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*.xml", options).Select(p => (Folder: f, Path: p)))
            .Where(f => File.Exists(f.Path) && File.Exists(Path.ChangeExtension(f.Path, ".dll")))
            .GroupBy(f => Path.GetFileNameWithoutExtension(f.Path), StringComparer.OrdinalIgnoreCase)
            .OrderBy(g => g.Key.ToLowerInvariant(), StringComparer.Ordinal)
            .Select(g => g.OrderByDescending(f => new FileInfo(f.Path).Length)
                .ThenBy(f => Path.GetRelativePath(f.Folder, f.Path), StringComparer.Ordinal).First().Path)];
    }

    private static IEnumerable<string> DotnetRoots()
    {
        var candidates = new List<string?>
        {
            Environment.GetEnvironmentVariable("DOTNET_ROOT"),
            // <root>/shared/Microsoft.NETCore.App/<version>/
            Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."),
        };
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            var command = new FileInfo(Path.Combine(folder, name));
            if (folder.Length == 0 || !command.Exists) continue;
            candidates.Add(Path.GetDirectoryName(command.ResolveLinkTarget(true)?.FullName ?? command.FullName));
            break;
        }
        return candidates.Where(c => !string.IsNullOrEmpty(c))
            .Select(c => Path.TrimEndingDirectorySeparator(Path.GetFullPath(c!))).Distinct();
    }
}
