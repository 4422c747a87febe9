using Data2Vec.Engine.Serialization;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>A run that stopped and went on is the run that never stopped, bit by bit, on any threads.</summary>
public sealed class ResumeTests
{
    private const int Steps = 12;

    [Test]
    public void Going_on_from_any_step_gives_every_later_bit_again(
        [ValueSource(typeof(TinyRun), nameof(TinyRun.Modalities))] string modality, [Values(1, 2)] int threads)
    {
        using var tiny = new TinyRun(modality);
        tiny.Train("whole", $"steps={Steps}", "keep=100", "save_every=1", "threads=1");
        var whole = tiny.Folder("whole");
        var checkpoints = RunFiles.Checkpoints(whole);
        Assert.That(checkpoints, Has.Length.EqualTo(Steps));
        var hashes = checkpoints.Select(c => RunFiles.Hashes(whole, c)).ToArray();
        Assert.That(hashes.Select(h => h["state.safetensors"]), Is.Unique, "each step moves");
        var metrics = RunFiles.Metrics(whole);
        Assert.That(metrics, Has.Length.EqualTo(Steps));

        for (var step = 1; step < Steps; step++)
        {
            // Once with every later checkpoint; else only the last, because each save waits for the disk.
            var every = step == 5;
            var name = $"from-{step}";
            RunFiles.CopyAt(whole, checkpoints[step - 1], tiny.Folder(name));
            var output = tiny.Train(name, $"steps={Steps}", "keep=100", $"save_every={(every ? 1 : 0)}",
                $"threads={threads}", "--resume", "auto");
            Assert.That(output, Does.Contain($"resuming at step {step} of {Steps}"));
            using (Assert.EnterMultipleScope())
            {
                for (var later = every ? step : Steps - 1; later < Steps; later++)
                {
                    var now = RunFiles.Hashes(tiny.Folder(name), checkpoints[later]);
                    var then = new SortedDictionary<string, string>(hashes[later], StringComparer.Ordinal);
                    // The settings name save_every, and the manifest their hash.
                    foreach (var file in every ? [] : new[] { "pretrain.yaml", "manifest.json" })
                        Assert.That(now.Remove(file) && then.Remove(file));
                    Assert.That(now, Is.EqualTo(then), $"stopped after {step}, {checkpoints[later]}");
                }
                Assert.That(RunFiles.Metrics(tiny.Folder(name)), Is.EqualTo(metrics), $"stopped after {step}");
            }
        }
    }

    [Test]
    public void A_checkpoint_holds_all_that_training_needs()
    {
        using var tiny = new TinyRun();
        tiny.Train("run", "steps=3", "save_every=0");
        Assert.That(RunFiles.Hashes(tiny.Folder("run")).Keys, Does.Contain("vocab.json").And.Contain("merges.txt"));
        using var state = SafetensorsFile.Open(
            Path.Combine(tiny.Folder("run"), "checkpoints", "last", "state.safetensors"));
        var names = state.Entries.Select(e => e.Name).ToArray();
        string[] Of(string part) => [.. names.Where(n => n.StartsWith(part + ".", StringComparison.Ordinal))
            .Select(n => n[(part.Length + 1)..])];
        var student = Of("student");
        Assert.That(student, Has.Length.GreaterThan(30).And.Contains("embeddings.words.weight"));
        Assert.That(Of("moment1"), Is.EqualTo(student));
        Assert.That(Of("moment2"), Is.EqualTo(student));
        // The teacher shares embeddings with the student and has no head.
        Assert.That(Of("teacher"), Is.EqualTo(student.Where(n => n.StartsWith("encoder.", StringComparison.Ordinal))));
        Assert.That(state.ReadDoubles("teacher.encoder.layer.0.attention.qkv.weight"),
            Is.Not.EqualTo(state.ReadDoubles("student.encoder.layer.0.attention.qkv.weight")), "the teacher lags");
    }

    [TestCaseSource(typeof(TinyRun), nameof(TinyRun.Modalities))]
    public void The_number_of_threads_changes_no_bit_and_the_seed_changes_them_all(string modality)
    {
        using var tiny = new TinyRun(modality);
        foreach (var threads in new[] { 1, 2, 3, 5 })
            tiny.Train($"threads-{threads}", "steps=4", "save_every=0", $"threads={threads}");
        var one = RunFiles.Hashes(tiny.Folder("threads-1"));
        foreach (var threads in new[] { 2, 3, 5 })
        {
            Assert.That(RunFiles.Hashes(tiny.Folder($"threads-{threads}")), Is.EqualTo(one), $"{threads} threads");
            Assert.That(RunFiles.Metrics(tiny.Folder($"threads-{threads}")),
                Is.EqualTo(RunFiles.Metrics(tiny.Folder("threads-1"))));
        }
        tiny.Train("seed-2", "steps=4", "save_every=0", "threads=1", "seed=2");
        var other = RunFiles.TrainedHashes(tiny.Folder("seed-2"));
        Assert.That(other[0], Is.Not.EqualTo(one["state.safetensors"]));
        Assert.That(other[2], Is.Not.EqualTo(one["model.safetensors"]));
    }

    [Test]
    public void Log_lines_lie_at_the_same_steps_after_a_stop()
    {
        using var tiny = new TinyRun();
        string[] settings = ["steps=10", "save_every=1", "keep=100", "log_every=4"];
        tiny.Train("whole", settings);
        RunFiles.CopyAt(tiny.Folder("whole"), "step-00000006", tiny.Folder("half"));
        tiny.Train("half", [.. settings, "--resume", "auto"]);
        Assert.That(RunFiles.Metrics(tiny.Folder("half")), Is.EqualTo(RunFiles.Metrics(tiny.Folder("whole"))));
    }
}
