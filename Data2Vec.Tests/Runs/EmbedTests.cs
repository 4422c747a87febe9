using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Text;
using Data2Vec.Models.Weights;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>`data2vec embed` gives what the model of the folder gives, document by document.</summary>
public sealed class EmbedTests
{
    private TinyRun tiny = null!;

    /// <summary>
    /// Float32 against double: two layers of at most five rounded sums each, the longest over 32 terms, values below 4.
    /// </summary>
    private static double Tolerance => Math.ScaleB(4, -24) * 2 * 5 * Math.Sqrt(32);

    private string Documents => tiny.Folder("documents.txt");

    private string Features => tiny.Folder("features.npy");

    [OneTimeSetUp]
    public void Train()
    {
        tiny = new TinyRun();
        tiny.Train("run", "steps=6", "save_every=0");
    }

    [OneTimeTearDown]
    public void RemoveRun() => tiny.Dispose();

    [Test]
    public void Each_row_is_the_models([Values("mean", "none")] string pool, [Values("cpu", "reference")] string device)
    {
        string[] documents =
            ["cat and bird", "", "the river <mask> at 5", "a much longer document, " + new string('x', 60), "<mask>"];
        File.WriteAllText(Documents, string.Join("\r\n", documents) + "\r\n");
        var said = Embed("run", "--pool", pool, "--device", device, "--threads", "2");
        var (shape, rows) = Npy.LoadSingles(Features);
        Assert.That(said, Is.EqualTo($"5 documents -> {Features}: float32 ({shape[0]}, 16)\n"));

        var expected = documents.SelectMany(d => Alone(d, pool == "mean")).ToArray();
        Assert.That(shape, Is.EqualTo(new Shape(expected.Length / 16, 16)));
        var tolerance = device == "reference" ? Math.ScaleB(4, -24) : Tolerance;
        Assert.That(rows.Zip(expected, (a, b) => Math.Abs(a - b)).Max(), Is.LessThan(tolerance));
        Assert.That(expected.Max(Math.Abs), Is.InRange(0.5, 4));
    }

    [Test]
    public void A_mask_is_one_token_that_swallows_the_space_before_it()
    {
        File.WriteAllText(Documents, "cat <mask> dog\n");
        Embed("run", "--pool", "none");
        var (shape, masked) = Npy.LoadSingles(Features);
        var tokenizer = ByteLevelBpe.Load(Path.Combine(tiny.Folder("run"), "tokenizer"));
        int[] ids =
        [
            tokenizer.BosId, .. tokenizer.TokenizeToIds("cat"), tokenizer.MaskId, .. tokenizer.TokenizeToIds(" dog"),
            tokenizer.EosId,
        ];
        Assert.That(shape[0], Is.EqualTo(ids.Length));
        var expected = Encode(ids);
        Assert.That(masked.Zip(expected, (a, b) => Math.Abs(a - b)).Max(), Is.LessThan(Tolerance));
        File.WriteAllText(Documents, "cat <mast> dog\n");
        Embed("run", "--pool", "none");
        Assert.That(Npy.LoadSingles(Features).Shape, Is.Not.EqualTo(shape));
    }

    [Test]
    public void A_run_its_checkpoint_and_a_copy_of_it_are_the_same_model()
    {
        File.WriteAllText(Documents, "cat and bird\ndog");
        var checkpoint = Path.Combine(tiny.Folder("run"), "checkpoints", "step-00000006");
        Directory.CreateDirectory(tiny.Folder("copy"));
        foreach (var name in new[] { "config.json", "model.safetensors", "vocab.json", "merges.txt" })
            File.Copy(Path.Combine(checkpoint, name), Path.Combine(tiny.Folder("copy"), name));
        var results = new List<byte[]>();
        foreach (var model in new[]
            { "run", "run/checkpoints", "run/checkpoints/last", "run/checkpoints/step-00000006", "copy" })
        {
            Embed(model);
            results.Add(File.ReadAllBytes(Features));
        }
        Assert.That(results, Is.All.EqualTo(results[0]));
        tiny.Train("other", "steps=6", "save_every=0", "seed=2");
        Embed("other");
        Assert.That(File.ReadAllBytes(Features), Is.Not.EqualTo(results[0]));
    }

    [Test]
    public void What_is_wrong_is_one_sentence()
    {
        File.WriteAllText(Documents, "cat\n");
        Directory.CreateDirectory(tiny.Folder("nothing"));
        Assert.That(Refused("nothing"),
            Does.StartWith($"{tiny.Folder("nothing")} holds no model: expected a run folder"));
        Assert.That(Refused("absent"), Does.StartWith($"{tiny.Folder("absent")} holds no model"));
        Assert.That(Refused("run", input: "absent.txt"), Does.Contain("absent.txt"));
        Assert.That(Refused("run", output: "absent/features.npy"), Does.Contain("absent/features.npy"));
        File.WriteAllText(Documents, "");
        Assert.That(Refused("run"), Is.EqualTo($"{Documents} is empty: expected one document a line."));
        File.WriteAllBytes(Documents, [.. "cat\ndo"u8, 0xC3, (byte)'\n']);
        Assert.That(Refused("run"),
            Is.EqualTo($"{Documents}: byte 6 is not valid UTF-8; the file must be UTF-8 text."));
        File.WriteAllText(Documents, "cat\n");
        Assert.That(CommandLine.Fail(1, "embed", "--model", tiny.Folder("run"), "--input", Documents, "--out", Features,
            "--device", "cqu"), Does.StartWith("There is no device 'cqu'"));
    }

    [TestCase("config.json", "")]
    [TestCase("config.json", "[]")]
    [TestCase("config.json", "{\"model_type\": 3}")]
    [TestCase("config.json", "{\"model_type\": \"bert\"}")]
    [TestCase("vocab.json", "{}")]
    [TestCase("vocab.json", "[1]")]
    [TestCase("merges.txt", "no merge")]
    [TestCase("model.safetensors", "")]
    [TestCase("model.safetensors", "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff")]
    public void A_damaged_file_of_a_folder_is_named(string name, string content)
    {
        var damaged = Path.Combine(tiny.Root, $"damaged-{Guid.NewGuid():N}");
        Directory.CreateDirectory(damaged);
        foreach (var file in new[] { "config.json", "model.safetensors", "vocab.json", "merges.txt" })
            File.Copy(Path.Combine(tiny.Folder("run"), "checkpoints", "last", file), Path.Combine(damaged, file));
        File.WriteAllText(Documents, "cat\n");
        Embed(damaged);
        File.WriteAllText(Path.Combine(damaged, name), content, System.Text.Encoding.Latin1);
        Assert.That(Refused(damaged), Does.Contain(name));
        File.Delete(Path.Combine(damaged, name));
        Assert.That(Refused(damaged), Does.Contain(name).Or.Contain("holds no model"));
    }

    [Test]
    public void A_damaged_checkpoint_is_refused()
    {
        File.WriteAllText(Documents, "cat\n");
        tiny.Train("short", "steps=3", "save_every=0");
        var model = Path.Combine(tiny.Folder("short"), "checkpoints", "last", "model.safetensors");
        using (var file = new FileStream(model, FileMode.Open))
        {
            file.Position = file.Length - 1;
            file.WriteByte(1);
        }
        Assert.That(Refused("short"),
            Does.EndWith("model.safetensors is damaged: its SHA-256 is not the one that was written."));
    }

    [Test]
    public void A_disk_that_is_full_is_one_sentence()
    {
        if (!File.Exists("/dev/full")) Assert.Ignore("This system has no /dev/full.");
        File.WriteAllText(Documents, "cat\n");
        Assert.That(
            CommandLine.Fail(1, "embed", "--model", tiny.Folder("run"), "--input", Documents, "--out", "/dev/full"),
            Is.EqualTo("No space left on device: '/dev/full'."));
    }

    private string Embed(string model, params string[] more) => CommandLine.Succeed(
        ["embed", "--model", tiny.Folder(model), "--input", Documents, "--out", Features, .. more]);

    private string Refused(string model, string? input = null, string? output = null)
    {
        var features = output is null ? Features : tiny.Folder(output);
        File.Delete(Features);
        var sentence = CommandLine.Fail(1, "embed", "--model", tiny.Folder(model),
            "--input", input is null ? Documents : tiny.Folder(input), "--out", features);
        Assert.That(features, Does.Not.Exist, "nothing is written");
        return sentence;
    }

    /// <summary>One document alone, without padding, in double precision.</summary>
    private IEnumerable<double> Alone(string document, bool mean)
    {
        var tokenizer = ByteLevelBpe.Load(Path.Combine(tiny.Folder("run"), "tokenizer"));
        var rows = Encode([tokenizer.BosId, .. tokenizer.TokenizeToIds(document).Take(14), tokenizer.EosId]);
        return mean ? Enumerable.Range(0, 16).Select(c => rows.Where((_, i) => i % 16 == c).Average()) : rows;
    }

    private double[] Encode(int[] ids)
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var folder = PublishedFolder.Find(tiny.Folder("run"));
        var encoder = ((TextModel)PublishedFolder.Load(folder, store, "Data2VecTextModel")).Encoder;
        using var view = store.Student();
        using var scope = device.Scope();
        return encoder.Forward(view, new TextBatch(1, ids.Length, ids), default).Last.ToDoubles();
    }
}
