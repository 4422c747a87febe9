using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>What the threads that read files could change does not, and a run goes on with the data it had.</summary>
[TestFixtureSource(typeof(TinyRun), nameof(TinyRun.Modalities))]
public sealed class ModalityTests(string modality)
{
    [Test]
    public void Workers_that_read_ahead_change_no_bit()
    {
        using var tiny = new TinyRun(modality);
        string[] settings = ["steps=7", "keep=9", "save_every=1"];
        tiny.Train("whole", [.. settings, "threads=1", "workers=0"]);
        var whole = tiny.Folder("whole");
        var checkpoints = RunFiles.Checkpoints(whole);
        Assert.That(checkpoints, Has.Length.EqualTo(7));
        foreach (var (step, threads, workers) in new[] { (1, 2, 2), (3, 1, 1), (6, 2, 0) })
        {
            var half = tiny.Folder($"from-{step}");
            RunFiles.CopyAt(whole, checkpoints[step - 1], half);
            tiny.Train($"from-{step}",
                [.. settings, $"threads={threads}", $"workers={workers}", "--resume", "auto"]);
            foreach (var later in checkpoints[step..])
                Assert.That(Bits(half, later), Is.EqualTo(Bits(whole, later)), $"stopped after {step}, {later}");
            Assert.That(RunFiles.Metrics(half), Is.EqualTo(RunFiles.Metrics(whole)));
        }
        Assert.That(RunFiles.Summary(whole).GetProperty("modality").GetString(), Is.EqualTo(modality));
    }

    [Test]
    public void Other_data_is_refused()
    {
        using var tiny = new TinyRun(modality);
        string[] settings = ["steps=7", "save_every=0"];
        tiny.Train("run", settings);
        var before = RunFiles.Hashes(tiny.Folder("run"));
        if (File.Exists(tiny.Data)) File.AppendAllText(tiny.Data, "one document more\n");
        else File.Delete(Directory.GetFiles(tiny.Data).Order(StringComparer.Ordinal).First());
        Assert.That(CommandLine.Fail(1, tiny.Arguments("run", [.. settings, "--resume", "auto"])),
            Does.StartWith($"The run in {tiny.Folder("run")} was begun with other data (SHA-256 "));
        Assert.That(RunFiles.Hashes(tiny.Folder("run")), Is.EqualTo(before));
    }

    /// <summary>Of every file but the settings, which name the number of workers, and the manifest with their hash.</summary>
    private static SortedDictionary<string, string> Bits(string run, string checkpoint)
    {
        var hashes = RunFiles.Hashes(run, checkpoint);
        hashes.Remove("pretrain.yaml");
        hashes.Remove("manifest.json");
        return hashes;
    }
}
