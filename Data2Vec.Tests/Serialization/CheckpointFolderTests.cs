using System.Security.Cryptography;
using Data2Vec.Engine.Serialization;
using NUnit.Framework;

namespace Data2Vec.Tests.Serialization;

/// <summary>A save is all or nothing: at each of its moments, and under each kind of failure.</summary>
public sealed class CheckpointFolderTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder()
    {
        SaveDelay.Instead = null;
        folder.Dispose();
    }

    [Test]
    public void A_checkpoint_comes_back_with_the_hash_of_every_file()
    {
        var checkpoints = new CheckpointFolder(Path.Combine(folder.Path, "a", "b"));
        Assert.That(checkpoints.OpenLast(), Is.Null);
        var saved = Save(checkpoints, 100);
        Assert.That(Path.GetFileName(saved), Is.EqualTo("step-00000100"));
        var checkpoint = checkpoints.OpenLast()!;
        Assert.That(checkpoint.Files.Select(f => f.Name), Is.EqualTo(new[] { "model.bin", "state.bin" }));
        Assert.That(checkpoint.Files[0].Sha256,
            Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(Content(100, 0)))));
        Assert.That(File.ReadAllBytes(checkpoint.PathOf("model.bin")), Is.EqualTo(Content(100, 0)));
        Assert.That(() => checkpoint.PathOf("other"), Throws.TypeOf<CheckpointException>());
        foreach (var path in new[] { checkpoints.Path, Path.Combine(checkpoints.Path, "last"), saved })
            Assert.That(Checkpoint.Open(path).Folder, Is.EqualTo(saved));
        if (!OperatingSystem.IsWindows())
            Assert.That(File.Exists(Path.Combine(checkpoints.Path, "last", "model.bin")), "last is a real path");
    }

    [Test]
    public void The_newest_are_kept_and_the_current_one_always()
    {
        var checkpoints = new CheckpointFolder(folder.Path, keep: 2);
        foreach (var step in new[] { 10, 20, 30, 30 }) Save(checkpoints, step);
        Assert.That(Names(), Is.EqualTo(new[] { "last", "step-00000030", "step-00000030-2" }));
        Assert.That(checkpoints.OpenLast()!.Folder, Does.EndWith("step-00000030-2"));
        Save(checkpoints, 30);
        Assert.That(Names(), Is.EqualTo(new[] { "last", "step-00000030", "step-00000030-2" }));
        Assert.That(checkpoints.OpenLast()!.Folder, Does.EndWith("step-00000030"));
        // Gone back to an earlier step: its checkpoint is the current one, though the number is smaller.
        Save(checkpoints, 5);
        Assert.That(Names(), Is.EqualTo(new[] { "last", "step-00000005", "step-00000030" }));
        Assert.That(checkpoints.OpenLast()!.Folder, Does.EndWith("step-00000005"));
    }

    [Test]
    public void A_pointer_in_a_text_file_is_followed_too()
    {
        var checkpoints = new CheckpointFolder(folder.Path);
        Save(checkpoints, 10);
        var pointer = Path.Combine(folder.Path, "last");
        File.Delete(pointer);
        CheckpointPointer.WriteText(pointer, "step-00000010");
        Assert.That(Checkpoint.Open(folder.Path).Folder, Does.EndWith("step-00000010"));
        Save(checkpoints, 20);
        Assert.That(Checkpoint.Open(pointer).Folder, Does.EndWith("step-00000020"));
        File.Delete(pointer);
        File.WriteAllText(pointer, "../../etc");
        Assert.That(() => checkpoints.OpenLast(),
            Throws.TypeOf<CheckpointException>().With.Message.Contains("should hold the name of a checkpoint folder"));
        File.Delete(pointer);
        CheckpointPointer.Set(folder.Path, "step-00000099");
        Assert.That(() => checkpoints.OpenLast(),
            Throws.TypeOf<CheckpointException>().With.Message.Contains("points to step-00000099, which is not there"));
    }

    [Test]
    public void At_every_moment_of_a_save_there_is_a_checkpoint_and_leftovers_are_swept()
    {
        var checkpoints = new CheckpointFolder(folder.Path, keep: 1);
        Save(checkpoints, 10);
        using var copies = new TemporaryFolder();
        var moments = new List<string>();
        SaveDelay.Instead = () => moments.Add(Copy(folder.Path, Path.Combine(copies.Path, $"{moments.Count}")));
        Save(checkpoints, 20);
        SaveDelay.Instead = null;
        // Folder made, two files, manifest, in place, pointed to, old manifest removed.
        Assert.That(moments, Has.Count.EqualTo(7));
        var (old, leftovers) = (0, 0);
        foreach (var moment in moments)
        {
            var killed = new CheckpointFolder(moment, keep: 1);
            leftovers += killed.Sweep().Count;
            Assert.That(Directory.EnumerateFileSystemEntries(moment).Select(Path.GetFileName),
                Has.None.StartsWith("."), moment);
            var name = Path.GetFileName(killed.OpenLast()!.Folder);
            if (name == "step-00000010") old++;
            else Assert.That(name, Is.EqualTo("step-00000020"));
            // And training goes on from there.
            Save(killed, 20);
            Assert.That(File.ReadAllBytes(killed.OpenLast()!.PathOf("model.bin")), Is.EqualTo(Content(20, 0)));
        }
        Assert.That((old, leftovers), Is.EqualTo((5, 5)), "moments with the old one; swept folders");
    }

    [Test]
    public void The_first_save_counts_from_the_moment_it_has_its_name()
    {
        var checkpoints = new CheckpointFolder(folder.Path);
        var found = new List<bool>();
        SaveDelay.Instead = () => found.Add(new CheckpointFolder(folder.Path).OpenLast() is not null);
        Save(checkpoints, 10);
        Assert.That(found, Is.EqualTo(new[] { false, false, false, false, true, true }));
    }

    [Test]
    public void Any_changed_byte_of_any_file_is_found_and_the_file_is_named()
    {
        var checkpoints = new CheckpointFolder(folder.Path);
        Save(checkpoints, 10);
        var current = Save(checkpoints, 20);
        foreach (var path in Directory.GetFiles(current))
        {
            var bytes = File.ReadAllBytes(path);
            for (var i = 0; i < bytes.Length * 8; i += path.EndsWith(".json") ? 1 : 37)
            {
                var changed = bytes.ToArray();
                changed[i / 8] ^= (byte)(1 << (i % 8));
                File.WriteAllBytes(path, changed);
                // A changed manifest may accuse the file that it describes.
                var named = path.EndsWith(".json") ? current : path + " is damaged: its SHA-256";
                Assert.That(() => Checkpoint.Open(current),
                    Throws.TypeOf<CheckpointException>().With.Message.Contains(named), $"{path} bit {i}");
            }
            File.WriteAllBytes(path, bytes[..^1]);
            Assert.That(() => checkpoints.OpenLast(), Throws.TypeOf<CheckpointException>().With.Message.Contains(
                "the older checkpoint " + Path.Combine(folder.Path, "step-00000010") + " is intact."));
            File.WriteAllBytes(path, bytes);
        }
        Assert.That(checkpoints.OpenLast(), Is.Not.Null);
        File.Delete(Path.Combine(current, "state.bin"));
        Assert.That(() => Checkpoint.Open(current), Throws.TypeOf<CheckpointException>().With.Message.EqualTo(
            Path.Combine(current, "state.bin") + " is missing from the checkpoint."));
    }

    [TestCase("../model.bin")]
    [TestCase("/etc/passwd")]
    [TestCase("..")]
    [TestCase("")]
    [TestCase("manifest.json")]
    [TestCase("a\\\\b")]
    public void A_manifest_that_leads_outside_is_refused(string name)
    {
        var current = Save(new CheckpointFolder(folder.Path), 10);
        var manifest = Path.Combine(current, "manifest.json");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("model.bin", name));
        Assert.That(() => Checkpoint.Open(current),
            Throws.TypeOf<CheckpointException>().With.Message.Contains("which is no plain file name"));
        Assert.That(() => new CheckpointFolder(folder.Path).Save(20, w => w.Write(name, _ => { })),
            Throws.ArgumentException);
    }

    [TestCase("null", "it is empty")]
    [TestCase("{}", "not the list of files")]
    [TestCase("", "not the list of files")]
    [TestCase("""{"format":2,"files":[]}""", "it has format 2, and 1 is expected")]
    [TestCase("""{"format":1,"format":1,"files":[]}""", "not the list of files")]
    [TestCase("""{"format":1,"files":null}""", "not the list of files")]
    [TestCase("""{"format":1,"files":[null]}""", "it has an empty entry")]
    [TestCase("""{"format":1,"files":[],"more":1}""", "not the list of files")]
    public void A_manifest_of_another_form_is_refused(string text, string message)
    {
        var current = Save(new CheckpointFolder(folder.Path), 10);
        File.WriteAllText(Path.Combine(current, "manifest.json"), text);
        Assert.That(() => Checkpoint.Open(current),
            Throws.TypeOf<CheckpointException>().With.Message.Contains(message));
    }

    [Test]
    public void A_failure_of_the_caller_leaves_nothing_behind()
    {
        var checkpoints = new CheckpointFolder(folder.Path);
        Save(checkpoints, 10);
        Assert.That(() => checkpoints.Save(20, w =>
        {
            w.Write("model.bin", s => s.WriteByte(1));
            w.Write("MODEL.bin", s => s.WriteByte(1));
        }), Throws.ArgumentException.With.Message.Contains("already has a file"));
        Assert.That(Names(), Is.EqualTo(new[] { "last", "step-00000010" }));
        Assert.That(() => new CheckpointFolder(folder.Path, keep: 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Save(checkpoints, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    internal static string Save(CheckpointFolder checkpoints, long step) => checkpoints.Save(step, writer =>
    {
        writer.Write("model.bin", stream => stream.Write(Content(step, 0)));
        writer.Write("state.bin", stream => stream.Write(Content(step, 1)));
    });

    private static byte[] Content(long step, int file) =>
        [.. Enumerable.Range(0, 300).Select(i => (byte)(i * 7 + step + file))];

    private string?[] Names() =>
        [.. Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)];

    private static string Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var entry in new DirectoryInfo(from).EnumerateFileSystemInfos())
        {
            var target = Path.Combine(to, entry.Name);
            if (entry.LinkTarget is { } link) File.CreateSymbolicLink(target, link);
            else if (entry is DirectoryInfo) Copy(entry.FullName, target);
            else ((FileInfo)entry).CopyTo(target);
        }
        return to;
    }
}
