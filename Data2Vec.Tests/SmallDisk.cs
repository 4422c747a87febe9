using System.Diagnostics;
using NUnit.Framework;

namespace Data2Vec.Tests;

/// <summary>A small file system in memory; ignores the test where it may not be mounted.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string path;

    private SmallDisk(string path) => this.path = path;

    public static SmallDisk Mount(string path, int kilobytes)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            Assert.Ignore("Only the superuser of a Linux system can mount a small disk.");
        if (Run("mount", "-t", "tmpfs", "-o", $"size={kilobytes}k", "tmpfs", path) != 0)
            Assert.Ignore("This system does not let the test mount a small disk.");
        return new SmallDisk(path);
    }

    public void Resize(int kilobytes) => Assert.That(Run("mount", "-o", $"remount,size={kilobytes}k", path), Is.Zero);

    public void MakeReadOnly() => Assert.That(Run("mount", "-o", "remount,ro", path), Is.Zero);

    public void Dispose() => Assert.That(Run("umount", path), Is.Zero);

    private static int Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
