using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Platform;

/// <summary>The two calls that a crash-safe save needs and .NET does not give.</summary>
public static partial class DurableFiles
{
    private const int ReadOnly = 0;
    private const int InvalidArgument = 22;

    /// <summary>
    /// Makes the names in a folder (created, renamed, removed) survive a loss of power. Does nothing on Windows, where
    /// folders cannot be flushed, and on file systems that refuse it for folders.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be opened, or the device reports an error.</exception>
    public static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(path, ReadOnly);
        if (descriptor < 0) throw Failure("open", path);
        try
        {
            if (Sync(descriptor) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument) throw Failure("flush", path);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>
    /// Renames a file or a symbolic link (the link itself, never its target) and replaces what has the new name, in one
    /// step: a reader finds the old one or the new one.
    /// </summary>
    /// <exception cref="IOException">The rename is refused.</exception>
    public static void Replace(string from, string to)
    {
        if (OperatingSystem.IsWindows()) File.Move(from, to, overwrite: true);
        else if (Rename(from, to) != 0) throw Failure("rename", from);
    }

    private static IOException Failure(string verb, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"Cannot {verb} {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);
}
