namespace Data2Vec.Engine.Serialization;

/// <summary>A checkpoint cannot be written or is damaged; the message is one sentence that names the file.</summary>
public sealed class CheckpointException : IOException
{
    // What .NET puts into HResult: the error number on Unix, a wrapped Win32 code on Windows.
    private const int UnixDiskFull = 28;
    private const int UnixReadOnly = 30;
    private const int UnixQuota = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>A failure with this sentence.</summary>
    public CheckpointException(string message)
        : base(message)
    {
    }

    /// <summary>A failure with this sentence and what led to it.</summary>
    public CheckpointException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>The sentence for a failed save into <paramref name="folder"/>.</summary>
    internal static CheckpointException CannotSave(string name, string folder, Exception inner)
    {
        var why = inner switch
        {
            _ when inner.HResult is UnixDiskFull or WindowsDiskFull or WindowsHandleDiskFull => "the disk is full",
            _ when inner.HResult is UnixQuota => "the disk quota is used up",
            _ when inner.HResult is UnixReadOnly => "the file system is read-only",
            UnauthorizedAccessException => "the folder may not be written",
            DirectoryNotFoundException => "the folder is no longer there",
            _ => inner.Message.TrimEnd('.'),
        };
        return new(
            $"Checkpoint {name} was not saved in {folder}, because {why}; earlier checkpoints are untouched.", inner);
    }
}
