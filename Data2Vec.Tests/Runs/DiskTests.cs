using System.Runtime.Versioning;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>A run whose disk is full or may not be written: one sentence, and the checkpoints before stay.</summary>
public sealed class DiskTests
{
    private static readonly string[] Settings = ["steps=20", "save_every=1", "keep=50"];

    [Test]
    public void A_disk_that_fills_up_keeps_the_last_checkpoint_and_the_run_goes_on_when_there_is_room()
    {
        using var tiny = new TinyRun();
        var path = tiny.Folder("disk");
        Directory.CreateDirectory(path);
        using var disk = SmallDisk.Mount(path, kilobytes: 1500);
        string[] arguments = [.. tiny.Arguments("disk/run", Settings), "--resume", "auto"];
        var sentence = CommandLine.Fail(1, arguments);
        Assert.That(sentence, Does.Match("^(Checkpoint step-.*|.*cannot be written), because the disk is full"));
        var saved = RunFiles.Checkpoints(tiny.Folder("disk/run"));
        Assert.That(saved, Has.Length.InRange(2, 10));
        var before = RunFiles.Hashes(tiny.Folder("disk/run"));
        Assert.That(CommandLine.Fail(1, arguments), Does.Contain("because the disk is full"), "and again");
        Assert.That(RunFiles.Hashes(tiny.Folder("disk/run")), Is.EqualTo(before));

        disk.Resize(kilobytes: 20_000);
        Assert.That(CommandLine.Succeed(arguments), Does.Contain($"resuming at step {saved.Length} of 20"));
        tiny.Train("whole", Settings);
        Assert.That(RunFiles.Hashes(tiny.Folder("disk/run")), Is.EqualTo(RunFiles.Hashes(tiny.Folder("whole"))));
        Assert.That(RunFiles.Metrics(tiny.Folder("disk/run")), Is.EqualTo(RunFiles.Metrics(tiny.Folder("whole"))));
    }

    [Test]
    public void A_disk_that_is_read_only_is_told_before_anything_is_computed()
    {
        using var tiny = new TinyRun();
        var path = tiny.Folder("disk");
        Directory.CreateDirectory(path);
        using var disk = SmallDisk.Mount(path, kilobytes: 20_000);
        tiny.Train("whole", "steps=4", "save_every=2", "keep=9");
        RunFiles.CopyAt(tiny.Folder("whole"), "step-00000002", tiny.Folder("disk/run"));
        disk.MakeReadOnly();
        Assert.That(CommandLine.Fail(1, tiny.Arguments("disk/run", "steps=4", "--resume", "auto")),
            Is.EqualTo($"The run folder {path}/run cannot be used, because the file system is read-only."));
        Assert.That(CommandLine.Fail(1, tiny.Arguments("disk/new", "steps=4")),
            Does.EndWith("cannot be made, because the file system is read-only."));
        Assert.That(RunFiles.Hashes(tiny.Folder("disk/run")),
            Is.EqualTo(RunFiles.Hashes(tiny.Folder("whole"), "step-00000002")));
    }

    [Test]
    public void A_folder_that_may_not_be_written_keeps_its_checkpoint()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows folders have no write permission of this kind.");
            return;
        }
        using var tiny = new TinyRun();
        var user = OtherUser(tiny.Root);
        tiny.Train("whole", "steps=4", "save_every=2", "keep=9");
        RunFiles.CopyAt(tiny.Folder("whole"), "step-00000002", tiny.Folder("run"));
        var checkpoints = Path.Combine(tiny.Folder("run"), "checkpoints");
        const UnixFileMode all = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        const UnixFileMode readOnly = all & ~(UnixFileMode.UserWrite | UnixFileMode.OtherWrite);
        foreach (var folder in new[] { tiny.Root, tiny.Folder("run"), Path.Combine(tiny.Folder("run"), "tokenizer") })
            File.SetUnixFileMode(folder, all);
        foreach (var file in Directory.GetFiles(tiny.Folder("run"))) File.SetUnixFileMode(file, all);
        File.SetUnixFileMode(checkpoints, readOnly);
        try
        {
            var arguments = tiny.Arguments("run", "steps=4", "save_every=2", "keep=9", "--resume", "auto");
            var saving = Child.Run(arguments, before: user);
            Assert.That((saving.Code, saving.Sentence), Is.EqualTo((1, "Checkpoint step-00000004 was not saved in "
                + $"{checkpoints}, because the folder may not be written; earlier checkpoints are untouched.")));
            Assert.That(RunFiles.Hashes(tiny.Folder("run")),
                Is.EqualTo(RunFiles.Hashes(tiny.Folder("whole"), "step-00000002")));

            File.SetUnixFileMode(tiny.Folder("run"), readOnly);
            var starting = Child.Run(arguments, before: user);
            Assert.That(starting.Code, Is.EqualTo(1));
            Assert.That(starting.Sentence, Does.Contain("because the folder may not be written."));
            var making = Child.Run(tiny.Arguments("run/new", "steps=4"), before: user);
            Assert.That((making.Code, making.Sentence), Is.EqualTo((1,
                $"The folder {tiny.Folder("run/new")}/checkpoints for checkpoints cannot be made, "
                    + "because the folder may not be written.")));
        }
        finally
        {
            File.SetUnixFileMode(tiny.Folder("run"), all);
            File.SetUnixFileMode(checkpoints, all);
        }
    }

    /// <summary>The superuser may write anywhere, so the command runs as somebody else then.</summary>
    [UnsupportedOSPlatform("windows")]
    private static string[] OtherUser(string readable)
    {
        if (!Environment.IsPrivilegedProcess) return [];
        string[] user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
        try
        {
            File.SetUnixFileMode(
                readable, File.GetUnixFileMode(readable) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
            if (Child.Run(["config", "print"], user).Code == 0) return user;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // No setpriv here.
        }
        Assert.Ignore("The superuser may write into any folder, and another user cannot run the command here.");
        return [];
    }
}
