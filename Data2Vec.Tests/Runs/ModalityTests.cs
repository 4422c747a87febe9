using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>Runs of speech and pictures go on bit by bit too, on any number of threads and of reading workers.</summary>
public sealed class ModalityTests
{
    private static readonly string[] Shared =
    [
        "hidden=16", "heads=2", "layers=2", "feed_forward=32", "top_layers=2", "batch_size=2", "micro_batches=2",
        "warmup_steps=1", "dropout=0.1", "attention_dropout=0.1", "log_every=1", "probes=false", "steps=7", "keep=9",
    ];

    private static readonly Dictionary<string, string[]> Own = new()
    {
        ["vision"] = ["drop_path=0.2", "augment=true", "layer_scale=0.1"],
        ["audio"] =
        [
            "feature_channels=8", "position_layers=2", "position_groups=2", "layer_drop=0.2", "min_samples=2000",
            "max_samples=3000",
        ],
    };

    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeData()
    {
        folder = new TemporaryFolder();
        foreach (var modality in Own.Keys) Directory.CreateDirectory(Path.Combine(folder.Path, modality));
        for (var i = 0; i < 14; i++)
        {
            SmallFiles.WriteBitmap(Path.Combine(folder.Path, "vision", $"{i:D2}.bmp"), 30 + i, 40, (ulong)i);
            SmallFiles.WriteWave(Path.Combine(folder.Path, "audio", $"{i:D2}.wav"), 16000, 2500 + 100 * i, (ulong)i);
        }
    }

    [TearDown]
    public void RemoveData() => folder.Dispose();

    [TestCase("vision")]
    [TestCase("audio")]
    public void A_run_goes_on_bit_by_bit(string modality)
    {
        var whole = Train(modality, "whole", "save_every=1", "threads=1", "workers=0");
        var checkpoints = RunFiles.Checkpoints(whole);
        Assert.That(checkpoints, Has.Length.EqualTo(7));
        Assert.That(checkpoints.Select(c => RunFiles.Hashes(whole, c)["state.safetensors"]), Is.Unique);
        foreach (var (step, threads, workers) in new[] { (1, 2, 2), (3, 1, 1), (6, 2, 0) })
        {
            var name = $"from-{step}";
            RunFiles.CopyAt(whole, checkpoints[step - 1], Path.Combine(folder.Path, name));
            var half = Train(
                modality, name, "save_every=1", $"threads={threads}", $"workers={workers}", "--resume", "auto");
            foreach (var later in checkpoints[step..])
            {
                Assert.That(Bits(half, later), Is.EqualTo(Bits(whole, later)), $"stopped after {step}, {later}");
            }
            Assert.That(RunFiles.Metrics(half), Is.EqualTo(RunFiles.Metrics(whole)));
        }
        Assert.That(RunFiles.Summary(whole).GetProperty("modality").GetString(), Is.EqualTo(modality));
    }

    [TestCase("vision")]
    [TestCase("audio")]
    public void Other_data_is_refused(string modality)
    {
        var run = Train(modality, "run", "save_every=0");
        var before = RunFiles.Hashes(run);
        File.Delete(Directory.GetFiles(Path.Combine(folder.Path, modality)).Order(StringComparer.Ordinal).First());
        Assert.That(CommandLine.Fail(1, Arguments(modality, "run", "save_every=0", "--resume", "auto")),
            Does.StartWith($"The run in {run} was begun with other data (SHA-256 "));
        Assert.That(RunFiles.Hashes(run), Is.EqualTo(before));
    }

    private string Train(string modality, string name, params string[] more)
    {
        CommandLine.Succeed(Arguments(modality, name, more));
        return Path.Combine(folder.Path, name);
    }

    private string[] Arguments(string modality, string name, params string[] more) =>
    [
        "pretrain", modality, "--device", "cpu", "--out", Path.Combine(folder.Path, name),
        "--data", Path.Combine(folder.Path, modality), .. Shared, .. Own[modality], .. more,
    ];

    /// <summary>Of every file but the settings, which name the number of workers, and the manifest with their hash.</summary>
    private static SortedDictionary<string, string> Bits(string run, string checkpoint)
    {
        var hashes = RunFiles.Hashes(run, checkpoint);
        hashes.Remove("pretrain.yaml");
        hashes.Remove("manifest.json");
        return hashes;
    }
}
