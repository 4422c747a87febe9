using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>A run folder is not mixed up: one run, one process, one configuration, one corpus.</summary>
public sealed class RunFolderTests
{
    private TinyRun tiny = null!;

    [SetUp]
    public void MakeRun() => tiny = new TinyRun();

    [TearDown]
    public void RemoveRun() => tiny.Dispose();

    [Test]
    public void A_run_is_not_begun_over_another()
    {
        tiny.Train("run", "steps=3");
        var before = Everything("run");
        Assert.That(CommandLine.Fail(1, tiny.Arguments("run", "steps=3")), Is.EqualTo(
            $"{tiny.Folder("run")} holds a run already; go on with --resume auto or choose another --out."));
        Assert.That(Everything("run"), Is.EqualTo(before));
    }

    [Test]
    public void A_run_does_not_go_on_with_other_settings_or_other_data()
    {
        tiny.Train("run", "steps=3");
        var before = Everything("run");
        Assert.That(CommandLine.Fail(2, tiny.Arguments("run", "steps=3", "hidden=32", "--resume", "auto")), Is.EqualTo(
            $"The run in {tiny.Folder("run")} was started with `hidden: 16`, so it cannot go on with `hidden: 32`."));
        File.AppendAllText(tiny.Data, "one more document\n");
        Assert.That(CommandLine.Fail(1, tiny.Arguments("run", "steps=3", "--resume", "auto")),
            Does.StartWith($"The run in {tiny.Folder("run")} was begun with other data (SHA-256 "));
        Assert.That(Everything("run"), Is.EqualTo(before));
        // These change no result, so they may change.
        File.WriteAllText(tiny.Data, File.ReadAllText(tiny.Data).Replace("one more document\n", ""));
        tiny.Train("run", "steps=3", "threads=2", "keep=5", "save_every=1", "log_every=2", "--resume", "auto");
    }

    [Test]
    public void Two_processes_do_not_train_in_one_folder()
    {
        var arguments = tiny.Arguments(
            "run", "steps=1000000", "save_every=5", "threads=1", "log_every=20", "--resume", "auto");
        using var first = Child.Start(arguments);
        first.WaitFor("saved ");
        Assert.That(CommandLine.Fail(1, arguments), Is.EqualTo(
            $"Another process trains in {tiny.Folder("run")}; wait for it or choose another --out."));
        first.WaitFor("saved ");
        first.Kill();
        // Nothing is left of a process that was killed.
        Assert.That(CommandLine.Fail(1, tiny.Arguments("run", "steps=1000000")), Does.Contain("holds a run already"));
    }

    [Test]
    public void What_a_run_without_a_checkpoint_has_left_does_not_count()
    {
        tiny.Train("whole", "steps=5");
        RunFiles.CopyAt(tiny.Folder("whole"), "step-00000005", tiny.Folder("run"));
        Directory.Delete(Path.Combine(tiny.Folder("run"), "checkpoints"), recursive: true);
        // Killed while it wrote, with other data and settings, and the log has a line cut short.
        File.WriteAllText(Path.Combine(tiny.Folder("run"), "tokenizer", "vocab.json"), "{");
        File.WriteAllText(Path.Combine(tiny.Folder("run"), "data.json"), "{ \"digest\": \"00\"");
        File.WriteAllText(Path.Combine(tiny.Folder("run"), "config.yaml"), "steps: ");
        File.AppendAllText(Path.Combine(tiny.Folder("run"), "metrics.jsonl"), "{\"step\":6,\"lo");
        tiny.Train("run", "steps=5", "--resume", "auto");
        Assert.That(RunFiles.Hashes(tiny.Folder("run")), Is.EqualTo(RunFiles.Hashes(tiny.Folder("whole"))));
        Assert.That(RunFiles.Metrics(tiny.Folder("run")), Is.EqualTo(RunFiles.Metrics(tiny.Folder("whole"))));
        Assert.That(Hidden("run"), Is.EqualTo(new[] { ".lock" }));
    }

    [Test]
    public void A_log_line_cut_short_by_a_kill_is_written_again()
    {
        tiny.Train("whole", "steps=5", "save_every=1", "keep=9");
        RunFiles.CopyAt(tiny.Folder("whole"), "step-00000003", tiny.Folder("run"));
        var log = Path.Combine(tiny.Folder("run"), "metrics.jsonl");
        foreach (var length in new[] { 1, 40, 150 })
        {
            File.WriteAllText(log, string.Concat(File.ReadLines(log).Take(3).Select(l => l + "\n"))
                + File.ReadLines(Path.Combine(tiny.Folder("whole"), "metrics.jsonl")).ElementAt(3)[..length]);
            RunFiles.CopyAt(tiny.Folder("run"), "step-00000003", tiny.Folder($"{length}"));
            tiny.Train($"{length}", "steps=5", "save_every=1", "keep=9", "--resume", "auto");
            Assert.That(RunFiles.Metrics(tiny.Folder($"{length}")), Is.EqualTo(RunFiles.Metrics(tiny.Folder("whole"))));
        }
    }

    [Test]
    public void A_damaged_checkpoint_is_named_with_an_older_one_that_is_intact()
    {
        tiny.Train("run", "steps=4", "save_every=2");
        var checkpoints = Path.Combine(tiny.Folder("run"), "checkpoints");
        using (var file = new FileStream(Path.Combine(checkpoints, "last", "state.safetensors"), FileMode.Open))
        {
            file.Position = file.Length / 2;
            var old = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(old ^ 4));
        }
        Assert.That(CommandLine.Fail(1, tiny.Arguments("run", "steps=4", "save_every=2", "--resume", "auto")),
            Is.EqualTo($"{checkpoints}/step-00000004/state.safetensors is damaged: its SHA-256 is not the one that was "
                + $"written; the older checkpoint {checkpoints}/step-00000002 is intact."));
    }

    [Test]
    public void Data_that_cannot_be_used_is_one_sentence_and_leaves_no_folder()
    {
        string Refused(params string[] data)
        {
            var code = data[^1].Contains('=') ? 2 : 1;
            var sentence = CommandLine.Fail(code, ["pretrain", "text", "--out", tiny.Folder("run"), "--data", .. data]);
            Assert.That(tiny.Folder("run"), Does.Not.Exist);
            return sentence;
        }
        var file = tiny.Folder("bad.txt");
        File.WriteAllBytes(file, [.. "good\n"u8, 0xF0, 0x9F, 0x98]);
        Assert.That(Refused(tiny.Data, file),
            Is.EqualTo($"{file}: byte 5 is not valid UTF-8; the file must be UTF-8 text."));
        foreach (var nothing in new[] { "", "\n", " \r\n\t\n" })
        {
            File.WriteAllText(file, nothing);
            Assert.That(Refused(tiny.Data, file),
                Is.EqualTo($"{file}: the file is empty; every data file must hold some text."));
        }
        Assert.That(Refused(tiny.Data, "stepz=3"), Does.StartWith("command line: there is no key 'stepz'"));
        Assert.That(Refused(tiny.Folder("absent")),
            Is.EqualTo($"{tiny.Folder("absent")}: no such file or folder; --data needs text files or folders."));
        var folder = Directory.CreateDirectory(tiny.Folder("empty")).FullName;
        Assert.That(Refused(folder), Is.EqualTo($"{folder}: the folder holds no .txt file; --data needs text files."));
        // A single document may be among those that are held out for probes.
        var few = Enumerable.Range(0, 40).Select(i =>
        {
            File.WriteAllText(file, $"document {i}\n");
            return CommandLine.Run(["pretrain", "text", "--out", tiny.Folder($"few-{i}"), "--data", file,
                "vocabulary_size=300", "steps=0", "probes=false", "hidden=8", "heads=1"]);
        }).ToArray();
        Assert.That(few.Select(r => r.Code).Distinct().Order(), Is.EqualTo(new[] { 0, 1 }));
        Assert.That(few.First(r => r.Code == 1).Sentence, Is.EqualTo(
            $"{file}: all of the data (1 document) is held out for probes; training needs more text."));
        Assert.That(CommandLine.Fail(1, [.. tiny.Arguments("run").Select(a => a == "cpu" ? "gpu" : a), "steps=4"]),
            Does.StartWith("There is no device 'gpu'"));
        Assert.That(tiny.Folder("run"), Does.Not.Exist);
    }

    [Test]
    public void A_file_in_place_of_the_run_folder_is_one_sentence()
    {
        File.WriteAllText(tiny.Folder("run"), "a file");
        Assert.That(CommandLine.Fail(1, tiny.Arguments("run", "steps=3")),
            Does.StartWith($"The folder {tiny.Folder("run")}/checkpoints for checkpoints cannot be made, because "));
        Assert.That(File.ReadAllText(tiny.Folder("run")), Is.EqualTo("a file"));
    }

    private (string, string)[] Everything(string name) =>
    [
        .. Directory.GetFiles(tiny.Folder(name), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(f => (f, Convert.ToHexString(File.ReadAllBytes(f)))),
    ];

    private string[] Hidden(string name) =>
        [.. Directory.GetFileSystemEntries(tiny.Folder(name), ".*").Select(f => Path.GetFileName(f)!)];
}
