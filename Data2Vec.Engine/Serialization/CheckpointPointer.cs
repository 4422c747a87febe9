using Data2Vec.Kernels.Platform;

namespace Data2Vec.Engine.Serialization;

/// <summary>
/// <c>last</c>: which checkpoint of a folder is the current one. A symbolic link where the system makes one, so that
/// <c>last/model.safetensors</c> is a path like any other; else a text file with the name of the folder.
/// </summary>
internal static class CheckpointPointer
{
    public const string Name = "last";

    /// <summary>Begins the name of a pointer that is not in place yet.</summary>
    public const string TemporaryPrefix = ".last-";

    private const int LongestName = 255;

    /// <summary>The folder that a pointer points to, or null where <paramref name="path"/> is no pointer.</summary>
    /// <exception cref="CheckpointException">The pointer leads nowhere.</exception>
    public static string? Follow(string path)
    {
        var target = Target(path);
        if (target is null) return null;
        var folder = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!, target);
        return Directory.Exists(folder)
            ? folder
            : throw new CheckpointException($"{path} points to {target}, which is not there.");
    }

    /// <summary>The name that a pointer holds, or null where there is no pointer.</summary>
    public static string? Target(string path)
    {
        path = System.IO.Path.TrimEndingDirectorySeparator(path);
        var info = new FileInfo(path);
        if (info.LinkTarget is { } link) return link;
        if (!info.Exists) return null;
        var name = info.Length <= LongestName ? File.ReadAllText(path).Trim() : "";
        return CheckpointManifest.IsPlainName(name)
            ? name
            : throw new CheckpointException($"{path} is damaged: it should hold the name of a checkpoint folder.");
    }

    /// <summary>Points to a folder beside the pointer, in one step.</summary>
    public static void Set(string root, string target)
    {
        var temporary = System.IO.Path.Combine(root, $"{TemporaryPrefix}{Guid.NewGuid():N}");
        if (!TryLink(temporary, target)) WriteText(temporary, target);
        DurableFiles.Replace(temporary, System.IO.Path.Combine(root, Name));
        DurableFiles.SyncFolder(root);
    }

    private static bool TryLink(string path, string target)
    {
        if (OperatingSystem.IsWindows()) return false;
        try
        {
            File.CreateSymbolicLink(path, target);
            return true;
        }
        catch (IOException)
        {
            // A file system without links; where nothing can be written at all, the text file says so.
            return false;
        }
    }

    internal static void WriteText(string path, string target)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write);
        stream.Write(System.Text.Encoding.ASCII.GetBytes(target + "\n"));
        stream.Flush(flushToDisk: true);
    }
}
