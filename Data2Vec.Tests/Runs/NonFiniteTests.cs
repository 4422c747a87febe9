using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Data2Vec.Engine.Serialization;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>NaN and infinity stop a run or skip an update; no log hides them, and every log stays JSON.</summary>
public sealed class NonFiniteTests
{
    [TestCase(float.NaN, "student.encoder.layer.1.feed_forward.in.weight",
        "the parameter encoder.layer.1.feed_forward.in.weight")]
    [TestCase(float.PositiveInfinity, "student.encoder.layer.0.attention.qkv.bias",
        "the parameter encoder.layer.0.attention.qkv.bias")]
    [TestCase(float.NaN, "teacher.encoder.layer.0.attention.qkv.bias",
        "the teacher's parameter encoder.layer.0.attention.qkv.bias")]
    public void A_run_stops_and_names_step_tensor_and_batch(float value, string tensor, string named)
    {
        using var tiny = new TinyRun();
        var sentence = StopsAtStep9(tiny, [], (tensor, i => i == 3 ? value : null));
        Assert.That(sentence, Does.StartWith($"At step 9 {named} is not finite, and the loss is NaN ("));
    }

    [TestCase(1, "the norm of the gradient")]
    [TestCase(1e5, "the gradient of ")]
    public void A_loss_that_is_finite_does_not_hide_a_gradient_that_is_not(double scale, string named)
    {
        using var tiny = new TinyRun();
        // gelu(0) = 0, so the prediction is the last bias; but the derivative of the first head layer is huge.
        var sentence = StopsAtStep9(tiny, [$"loss_scale={scale}"], ("student.head.0.weight", _ => 0),
            ("student.head.0.bias", _ => 0), ("student.head.2.weight", i => i % 2 == 0 ? 3e38f : -3e38f));
        Assert.That(sentence, Does.Match($@"^At step 9 {named}.* is not finite, and the loss is [\d.]+ \("));
    }

    [Test]
    public void Skipping_leaves_out_the_updates_that_are_not_finite_and_says_so()
    {
        using var tiny = new TinyRun();
        // One document alone has this letter, whose token gets a vector of NaN: one step of an epoch is broken. About a
        // sixth of all documents is held out by a hash of their text, so one is taken that trains when it is alone.
        var lines = File.ReadAllLines(tiny.Data);
        var (changed, at) = lines.Select((line, i) => ($"\u0436 {line}", i)).First(c => Trains(tiny, c.Item1));
        lines[at] = changed;
        File.WriteAllLines(tiny.Data, lines);
        string[] skip =
        [
            "steps=90", "save_every=1", "keep=100", "batch_size=1", "micro_batches=1", "log_every=5",
            "on_nonfinite=skip",
        ];
        tiny.Train("whole", skip);
        RunFiles.CopyAt(tiny.Folder("whole"), "step-00000002", tiny.Folder("run"));
        var vocabulary = File.ReadAllText(Path.Combine(tiny.Folder("run"), "tokenizer", "vocab.json"));
        var token = Json(vocabulary).GetProperty("\u00d0").GetInt32();
        Overwrite(tiny.Folder("run"), "student.embeddings.words.weight", i => i / 16 == token ? float.NaN : null);
        var output = tiny.Train("run", [.. skip, "--resume", "auto"]);

        var log = File.ReadLines(Path.Combine(tiny.Folder("run"), "metrics.jsonl")).Select(Json).ToArray();
        var skipped = log.Where(l => l.GetProperty("skipped").GetBoolean()).ToArray();
        Assert.That(skipped, Has.Length.InRange(1, 3), "once an epoch of about 40 steps");
        Assert.That(log, Has.Length.GreaterThan(skipped.Length + 10));
        foreach (var line in log)
        {
            var bad = line.GetProperty("skipped").GetBoolean();
            var kind = line.GetProperty("loss").ValueKind;
            Assert.That(kind, Is.EqualTo(bad ? JsonValueKind.Null : JsonValueKind.Number));
        }
        foreach (var step in skipped.Select(l => l.GetProperty("step").GetInt32()))
        {
            Assert.That(output, Does.Contain($"warning: step {step}: gradient not finite, the update was skipped")
                .And.Contain($"step {step}/90  loss NaN "));
            string Bits(int at) => RunFiles.Hashes(tiny.Folder("run"), $"step-{at:D8}")["state.safetensors"];
            Assert.That(Bits(step), Is.EqualTo(Bits(step - 1)), "the update is left out as a whole");
            if (step < 90) Assert.That(Bits(step + 1), Is.Not.EqualTo(Bits(step)), "and training goes on");
        }
    }

    private static bool Trains(TinyRun tiny, string document)
    {
        File.WriteAllText(tiny.Data, document);
        return CommandLine.Run(tiny.Arguments($"try-{Guid.NewGuid():N}", "steps=0")).Code == 0;
    }

    /// <summary>A run whose checkpoint of step 8 is changed must stop at once and leave all as it was.</summary>
    private static string StopsAtStep9(
        TinyRun tiny, string[] more, params (string Tensor, Func<int, float?> Change)[] changes)
    {
        string[] settings =
            ["steps=24", "save_every=4", "keep=100", "batch_size=1", "micro_batches=1", "log_every=5", .. more];
        tiny.Train("whole", settings);
        var run = tiny.Folder("run");
        RunFiles.CopyAt(tiny.Folder("whole"), "step-00000008", run);
        foreach (var (tensor, change) in changes) Overwrite(run, tensor, change);
        var before = RunFiles.Hashes(run);
        var sentence = CommandLine.Fail(1, tiny.Arguments("run", [.. settings, "--resume", "auto"]));
        Assert.That(sentence, Does.Contain("(examples 8 to 8 of the data order of seed 1); lower learning_rate"));
        Assert.That(RunFiles.Hashes(run), Is.EqualTo(before), "the checkpoint stays");
        Assert.That(RunFiles.Checkpoints(run), Has.Length.EqualTo(1), "nothing broken is saved");
        Assert.That(RunFiles.Metrics(run), Has.Length.EqualTo(2), "steps 1 and 5");
        Assert.That(Path.Combine(run, "summary.json"), Does.Not.Exist);
        return sentence;
    }

    private static JsonElement Json(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    /// <summary>Changes a tensor of the checkpoint `last` and its hash, as if it had been saved so.</summary>
    private static void Overwrite(string run, string tensor, Func<int, float?> change)
    {
        var folder = Checkpoint.Open(Path.Combine(run, "checkpoints")).Folder;
        var path = Path.Combine(folder, "state.safetensors");
        var bytes = File.ReadAllBytes(path);
        var header = 8 + (int)BitConverter.ToUInt64(bytes);
        using (var json = JsonDocument.Parse(bytes.AsMemory(8, header - 8)))
        {
            var range = json.RootElement.GetProperty(tensor).GetProperty("data_offsets");
            var (from, to) = (range[0].GetInt32(), range[1].GetInt32());
            var values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(header + from, to - from));
            for (var i = 0; i < values.Length; i++) values[i] = change(i) ?? values[i];
        }
        var old = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
        File.WriteAllBytes(path, bytes);
        var manifest = Path.Combine(folder, "manifest.json");
        File.WriteAllText(manifest,
            File.ReadAllText(manifest).Replace(old, Convert.ToHexStringLower(SHA256.HashData(bytes))));
    }
}
