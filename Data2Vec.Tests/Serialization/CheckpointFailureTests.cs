using Data2Vec.Engine.Serialization;
using NUnit.Framework;

namespace Data2Vec.Tests.Serialization;

/// <summary>A disk that is full, read-only or gone: one clear sentence, and the old checkpoint stays.</summary>
public sealed class CheckpointFailureTests
{
    [Test]
    public void A_stream_that_fails_at_any_byte_leaves_the_old_checkpoint()
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new CheckpointFolder(folder.Path);
        CheckpointFolderTests.Save(checkpoints, 10);
        foreach (var room in new[] { 0, 100, 299, 300, 500, 700 })
        {
            var left = new Room { Bytes = room };
            checkpoints.WrapStream = stream => new FullDisk(stream, left);
            Assert.That(() => CheckpointFolderTests.Save(checkpoints, 20),
                Throws.TypeOf<CheckpointException>().With.Message.EqualTo(
                    "Checkpoint step-00000020 was not saved in " +
                    $"{folder.Path}, because the disk is full; earlier checkpoints are untouched."));
            Assert.That(checkpoints.OpenLast()!.Folder, Does.EndWith("step-00000010"));
            Assert.That(checkpoints.Sweep(), Is.Empty, "the remains are removed at once, where room is short");
        }
    }

    [Test]
    public void A_disk_that_is_full_leaves_the_old_checkpoint()
    {
        using var folder = new TemporaryFolder();
        using var disk = SmallDisk.Mount(folder.Path, kilobytes: 256);
        var checkpoints = new CheckpointFolder(folder.Path);
        CheckpointFolderTests.Save(checkpoints, 10);
        Assert.That(() => checkpoints.Save(20, w => w.Write("big", s => s.Write(new byte[1 << 20]))),
            Throws.TypeOf<CheckpointException>().With.Message.Contains("because the disk is full; earlier"));
        Assert.That(checkpoints.OpenLast()!.Folder, Does.EndWith("step-00000010"));
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Path).Count(), Is.EqualTo(2));
        CheckpointFolderTests.Save(checkpoints, 30);
        Assert.That(checkpoints.OpenLast()!.Folder, Does.EndWith("step-00000030"));
    }

    [Test]
    public void A_file_system_that_is_read_only_leaves_the_old_checkpoint()
    {
        using var folder = new TemporaryFolder();
        using var disk = SmallDisk.Mount(folder.Path, kilobytes: 256);
        var checkpoints = new CheckpointFolder(folder.Path);
        CheckpointFolderTests.Save(checkpoints, 10);
        disk.MakeReadOnly();
        Assert.That(() => CheckpointFolderTests.Save(checkpoints, 20),
            Throws.TypeOf<CheckpointException>().With.Message.Contains("because the file system is read-only;"));
        Assert.That(checkpoints.OpenLast()!.Folder, Does.EndWith("step-00000010"));
        Assert.That(() => new CheckpointFolder(Path.Combine(folder.Path, "below")),
            Throws.TypeOf<CheckpointException>().With.Message.Contains("below for checkpoints cannot be made"));
    }

    [Test]
    public void A_folder_that_has_vanished_is_not_made_again()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "checkpoints");
        var checkpoints = new CheckpointFolder(path);
        Directory.Delete(path);
        Assert.That(() => CheckpointFolderTests.Save(checkpoints, 10),
            Throws.TypeOf<CheckpointException>().With.Message.Contains("because the folder is no longer there"));
        Assert.That(Directory.Exists(path), Is.False);
        Assert.That(() => Checkpoint.Open(path),
            Throws.TypeOf<CheckpointException>().With.Message.EqualTo($"There is no checkpoint folder {path}."));
        Directory.CreateDirectory(path);
        Assert.That(() => Checkpoint.Open(path), Throws.TypeOf<CheckpointException>().With.Message.EqualTo(
            $"{path} is no complete checkpoint: it has no manifest.json."));
        var file = Path.Combine(folder.Path, "file");
        File.WriteAllText(file, "");
        Assert.That(() => new CheckpointFolder(Path.Combine(file, "below")), Throws.TypeOf<CheckpointException>());
    }

    private sealed class Room
    {
        public long Bytes { get; set; }
    }

    /// <summary>Fails like a disk with so much room.</summary>
    private sealed class FullDisk(Stream inner, Room room) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            room.Bytes -= buffer.Length;
            if (room.Bytes < 0) throw new IOException("No space left on device", 28);
            inner.Write(buffer);
        }
    }
}
