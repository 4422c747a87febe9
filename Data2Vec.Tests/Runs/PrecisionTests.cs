using Data2Vec.Engine.Serialization;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>
/// precision=bfloat16 on the cpu: near the float32 run, but not the same; state and files stay float32; and what holds for
/// every run holds (threads change no bit, resuming goes on bit by bit).
/// </summary>
[TestFixtureSource(typeof(TinyRun), nameof(TinyRun.Modalities))]
public sealed class PrecisionTests(string modality)
{
    private const double BFloat16Epsilon = 0.0078125;

    [Test]
    public void A_few_updates_stay_near_those_in_float32()
    {
        using var tiny = new TinyRun(modality);
        tiny.Train("full", "steps=3");
        tiny.Train("mixed", "steps=3", "precision=bfloat16");
        var (full, mixed) = (Losses(tiny.Folder("full")), Losses(tiny.Folder("mixed")));
        Assert.That(mixed, Is.Not.EqualTo(full), "something is rounded");
        // The loss sums squares of what is rounded a few times.
        for (var i = 0; i < full.Length; i++) Assert.That(mixed[i], Is.EqualTo(full[i]).Within(8 * BFloat16Epsilon * full[i]));
    }

    [Test]
    public void State_and_checkpoint_are_float32()
    {
        using var tiny = new TinyRun(modality);
        tiny.Train("mixed", "steps=3", "precision=bfloat16", "save_every=0");
        var last = Path.Combine(tiny.Folder("mixed"), "checkpoints", "last");
        var files = Directory.GetFiles(last, "*.safetensors");
        Assert.That(files, Has.Length.EqualTo(2), "model and state");
        foreach (var path in files)
        {
            using var file = SafetensorsFile.Open(path);
            Assert.That(file.Entries.Select(e => e.Type), Has.None.EqualTo(SafetensorsType.BF16));
        }
    }

    [Test]
    public void Threads_change_no_bit_and_resuming_goes_on()
    {
        using var tiny = new TinyRun(modality);
        tiny.Train("whole", "steps=4", "precision=bfloat16", "threads=1", "save_every=1", "keep=100");
        var whole = tiny.Folder("whole");
        var checkpoints = RunFiles.Checkpoints(whole);
        RunFiles.CopyAt(whole, checkpoints[1], tiny.Folder("rest"));
        tiny.Train("rest", "steps=4", "precision=bfloat16", "threads=2", "save_every=1", "keep=100", "--resume", "auto");
        Assert.That(RunFiles.Hashes(tiny.Folder("rest"), checkpoints[3]), Is.EqualTo(RunFiles.Hashes(whole, checkpoints[3])));
    }

    private static double[] Losses(string folder) =>
    [
        .. File.ReadLines(Path.Combine(folder, "metrics.jsonl")).Select(line =>
        {
            using var row = System.Text.Json.JsonDocument.Parse(line);
            return row.RootElement.GetProperty("loss").GetDouble();
        }),
    ];
}
