using System.Runtime.CompilerServices;
using System.Text.Json;
using Data2Vec.Models;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>summary.json tells of the whole run, also when it was made in parts.</summary>
public sealed class SummaryTests
{
    private static readonly string[] Keys =
    [
        "modality", "preset", "seed", "steps", "seconds", "loss_first", "loss_last", "target_std", "prediction_std",
        "probes", "probes_left_out", "tokens_per_second", "first_update_seconds", "peak_memory_mb", "device",
        "threads",
    ];

    [Test]
    public void It_has_every_key_and_probes_before_and_after_training()
    {
        using var tiny = new TinyRun(documents: 2500);
        var output = tiny.Train(
            "run", "steps=6", "vocabulary_size=500", "max_tokens=32", "seed=7", "threads=2", "probes=true");
        var summary = RunFiles.Summary(tiny.Folder("run"));
        var metrics = File.ReadLines(Path.Combine(tiny.Folder("run"), "metrics.jsonl"))
            .Select(l => JsonDocument.Parse(l).RootElement).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Keys.Where(k => !summary.TryGetProperty(k, out _)), Is.Empty);
            Assert.That(summary.GetProperty("modality").GetString(), Is.EqualTo("text"));
            Assert.That(summary.GetProperty("preset").GetString(), Is.EqualTo("tiny"));
            Assert.That(summary.GetProperty("seed").GetInt32(), Is.EqualTo(7));
            Assert.That(summary.GetProperty("steps").GetInt32(), Is.EqualTo(6));
            Assert.That(summary.GetProperty("threads").GetInt32(), Is.EqualTo(2));
            Assert.That(summary.GetProperty("device").GetString(), Does.StartWith("cpu (").And.EndWith("2 threads)"));
            Assert.That(Number(summary, "seconds"), Is.GreaterThan(Number(metrics[^1], "seconds")));
            Assert.That(Number(summary, "tokens_per_second"), Is.GreaterThan(10));
            Assert.That(Number(summary, "peak_memory_mb"), Is.InRange(20, 100_000));
            Assert.That(Number(summary, "loss_first"), Is.EqualTo(Number(metrics[0], "loss")));
            Assert.That(Number(summary, "loss_last"), Is.EqualTo(Number(metrics[^1], "loss")));
            foreach (var key in new[] { "target_std", "prediction_std" })
                Assert.That(Number(summary, key), Is.EqualTo(Number(metrics[^1], key)), key);
        }
        var probes = summary.GetProperty("probes").EnumerateArray().ToArray();
        Assert.That(probes.Select(p => p.GetProperty("name").GetString()),
            Is.EqualTo(new[] { "masked word", "bigram shift" }));
        const string Reason = "file of the document: there are not two with 10 examples to fit";
        Assert.That(output, Does.Contain($"warning: probe left out: {Reason}").And.Contain("simple baseline"));
        Assert.That(summary.GetProperty("probes_left_out").EnumerateArray().Single().GetString(), Is.EqualTo(Reason));
        foreach (var probe in probes)
        {
            Assert.That(probe.GetProperty("examples").GetInt32(), Is.GreaterThanOrEqualTo(100));
            foreach (var share in new[] { "majority", "simple_baseline", "random", "pretrained" })
                Assert.That(probe.GetProperty(share).GetDouble(), Is.InRange(0, 1), share);
        }
        Assert.That(Number(probes[1], "majority"), Is.EqualTo(0.5).Within(0.01));
        foreach (var (probe, name) in probes.Zip(new[] { "the two neighbours", "bag of words" }))
        {
            Assert.That(probe.GetProperty("simple_baseline_name").GetString(), Is.EqualTo(name));
            Assert.That(output, Does.Contain(name));
        }
    }

    [Test, Platform("Linux")]
    public void The_peak_of_memory_is_that_of_the_run()
    {
        var held = PeakOfHolding(400 << 20);
        PeakMemory.Restart();
        Assume.That(PeakMemory.Read(), Is.LessThan(held), "the system lets the peak be reset");
        var start = PeakMemory.Read();
        using var tiny = new TinyRun();
        tiny.Train("run", "steps=3");
        Assert.That(Number(RunFiles.Summary(tiny.Folder("run")), "peak_memory_mb"),
            Is.LessThan(held - 200).And.GreaterThan(0.3 * start));
    }

    [Test]
    public void After_a_stop_the_first_loss_is_the_first_of_the_run()
    {
        using var tiny = new TinyRun();
        string[] settings = ["steps=8", "save_every=1", "keep=10", "log_every=3", "threads=1"];
        tiny.Train("whole", settings);
        RunFiles.CopyAt(tiny.Folder("whole"), "step-00000005", tiny.Folder("half"));
        tiny.Train("half", [.. settings, "--resume", "auto"]);
        Assert.That(OfTheRun("half"), Is.EqualTo(OfTheRun("whole")));

        // Going on with a run that is over trains nothing, saves nothing and tells the same again.
        var before = RunFiles.Checkpoints(tiny.Folder("half"));
        tiny.Train("half", [.. settings, "--resume", "auto"]);
        Assert.That(OfTheRun("half"), Is.EqualTo(OfTheRun("whole")));
        Assert.That(RunFiles.Checkpoints(tiny.Folder("half")), Is.EqualTo(before));
        Assert.That(RunFiles.Metrics(tiny.Folder("half")), Is.EqualTo(RunFiles.Metrics(tiny.Folder("whole"))));

        string[] OfTheRun(string name) => [.. RunFiles.Summary(tiny.Folder(name)).EnumerateObject()
            .Where(p => p.Name is not ("seconds" or "tokens_per_second" or "first_update_seconds" or "peak_memory_mb"))
            .Select(p => p.ToString())];
    }

    /// <summary>The peak that a run leaves which held so many bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double PeakOfHolding(int bytes)
    {
        var memory = new byte[bytes];
        Array.Fill(memory, (byte)1);
        GC.KeepAlive(memory);
        return PeakMemory.Read();
    }

    private static double Number(JsonElement json, string key) => json.GetProperty(key).GetDouble();
}
