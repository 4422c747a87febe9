namespace Data2Vec.Engine.Serialization;

/// <summary>Why something could not be written, in words.</summary>
public static class DiskFailure
{
    // What .NET puts into HResult: the error number on Unix, a wrapped Win32 code on Windows.
    private const int UnixDiskFull = 28;
    private const int UnixReadOnly = 30;
    private const int UnixQuota = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>The part of a sentence after "because".</summary>
    public static string Reason(Exception failure) => failure switch
    {
        _ when failure.HResult is UnixDiskFull or WindowsDiskFull or WindowsHandleDiskFull => "the disk is full",
        _ when failure.HResult is UnixQuota => "the disk quota is used up",
        _ when failure.HResult is UnixReadOnly || failure.InnerException?.HResult is UnixReadOnly
            => "the file system is read-only",
        UnauthorizedAccessException => "the folder may not be written",
        DirectoryNotFoundException => "the folder is no longer there",
        _ => failure.Message.TrimEnd('.'),
    };
}
