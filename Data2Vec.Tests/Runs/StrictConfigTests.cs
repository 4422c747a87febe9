using System.Diagnostics;
using System.Text;
using Data2Vec.Models.Configuration;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>What is misspelt, repeated, of a wrong type or out of range is refused; nothing is written.</summary>
public sealed class StrictConfigTests
{
    private TinyRun tiny = null!;

    [SetUp]
    public void MakeRun() => tiny = new TinyRun();

    [TearDown]
    public void RemoveRun() => tiny.Dispose();

    [TestCase("stepss=4", "command line: there is no key 'stepss'; did you mean 'steps'?")]
    [TestCase("layer=4", "command line: there is no key 'layer'; did you mean 'layers'?")]
    [TestCase("nonsense_of_a_key=4", "command line: there is no key 'nonsense_of_a_key'.")]
    [TestCase("Steps=4", "command line: there is no key 'Steps'; did you mean 'steps'?")]
    [TestCase("steps=4 steps=5", "The key 'steps' is given twice.")]
    [TestCase("steps=1e3", "command line: steps must be a whole number; got '1e3'.")]
    [TestCase("steps=", "command line: steps must be a whole number; got ''.")]
    [TestCase("steps=99999999999", "command line: steps must be a whole number; got '99999999999'.")]
    [TestCase("steps=-1", "command line: steps must lie between 0 and 1000000000; got -1.")]
    [TestCase("seed=-1", "command line: seed must be a whole number of at least 0; got '-1'.")]
    [TestCase("dropout=1", "command line: dropout must lie between 0 and 0.99; got 1.")]
    [TestCase("dropout=0,1", "command line: dropout must be a number; got '0,1'.")]
    [TestCase("dropout=NaN", "command line: dropout must be a number; got 'NaN'.")]
    [TestCase("learning_rate=Infinity", "command line: learning_rate must be a number; got 'Infinity'.")]
    [TestCase("probes=yes", "command line: probes must be true or false; got 'yes'.")]
    [TestCase("masking=spam", "command line: masking must be one of bert, span; got 'spam'; did you mean 'span'?")]
    [TestCase("optimizer=sgd", "command line: optimizer must be one of adamw, fairseq_adam; got 'sgd'.")]
    [TestCase("hidden=190", "hidden must be a multiple of heads; got 190 and 4.")]
    [TestCase("top_layers=5", "top_layers must not exceed layers; got 5 and 4.")]
    [TestCase("steps=4", "warmup_steps must be fewer than steps; got 100 and 4.")]
    [TestCase("ema_start=0.9999 ema_end=0.5", "ema_start must not exceed ema_end; got 0.9999 and 0.5.")]
    [TestCase("steps", "'steps' is not understood: settings are given as key=value.")]
    [TestCase("=4", "'=4' is not understood: settings are given as key=value.")]
    [TestCase("preset=small --preset tiny", "--preset tiny contradicts the setting preset 'small'.")]
    [TestCase("preset=smal", "There is no preset 'smal'; did you mean 'small'? (there are tiny, small, base)")]
    [TestCase("--preset tinny", "There is no preset 'tinny'; did you mean 'tiny'? (there are tiny, small, base)")]
    [TestCase("--preset", "Required argument missing for option: '--preset'.")]
    [TestCase("--preset tiny --preset small", "Option '--preset' expects a single argument but 2 were provided.")]
    [TestCase("--prset tiny", "There is no option '--prset'; did you mean '--preset'?")]
    [TestCase("--dry-rum", "There is no option '--dry-rum'; did you mean '--dry-run'?")]
    [TestCase("--nonsense-of-a-flag", "There is no option '--nonsense-of-a-flag'.")]
    [TestCase("--resume always", "--resume must be auto; got 'always'.")]
    [TestCase("--resume autp", "--resume must be auto; got 'autp'; did you mean 'auto'?")]
    [TestCase("-x", "'-x' is not understood: settings are given as key=value.")]
    public void A_wrong_setting_is_one_sentence_and_nothing_is_written(string words, string sentence)
    {
        var said = CommandLine.Fail(2,
            ["pretrain", "text", "--data", tiny.Data, "--out", tiny.Folder("run"), .. words.Split(' ')]);
        Assert.That(said, Is.EqualTo(sentence));
        Assert.That(Directory.EnumerateFileSystemEntries(tiny.Root), Is.EqualTo(new[] { tiny.Data }));
    }

    [TestCase("", "Required command was not provided.")]
    [TestCase("pretrain", "Required command was not provided.")]
    [TestCase("pretrian text", "There is no command 'pretrian'; did you mean 'pretrain'?")]
    [TestCase("pretrain txt", "There is no command 'txt'; did you mean 'text'?")]
    [TestCase("config prnt", "There is no command 'prnt'; did you mean 'print'?")]
    [TestCase("config print --modality txet", "There is no modality 'txet'; did you mean 'text'?")]
    [TestCase("config print stepz=1", "command line: there is no key 'stepz'; did you mean 'steps'?")]
    [TestCase("embed --model m --input i", "Option '--out' is required.")]
    [TestCase("embed --model m --input i --out o --pool man",
        "--pool must be mean or none; got 'man'; did you mean 'mean'?")]
    [TestCase("embed --model m --input i --out o --threads many",
        "--threads must be a whole number between 0 and 1024; got 'many'.")]
    [TestCase("embed --model m --input i --out o --treads 2",
        "There is no option '--treads'; did you mean '--threads'?")]
    [TestCase("doctor now", "Unrecognized command or argument 'now'.")]
    public void A_wrong_command_is_one_sentence(string words, string sentence) => Assert.That(
        CommandLine.Fail(2, words.Split(' ', StringSplitOptions.RemoveEmptyEntries)), Does.StartWith(sentence));

    [TestCase("steps: 4\nsteps: 5\n", ":2: the key 'steps' is given twice.")]
    [TestCase("# a comment\nstepz: 4\n", ":2: there is no key 'stepz'; did you mean 'steps'?")]
    [TestCase("steps: four\n", ":1: steps must be a whole number; got 'four'.")]
    [TestCase("steps: [4]\n", ":1: the value of 'steps' must be a single value.")]
    [TestCase("steps:\n  a: 4\n", ":1: the value of 'steps' must be a single value.")]
    [TestCase("steps: *a\n", ":1: the value of 'steps' must be a single value.")]
    [TestCase("- steps\n", ":1: expected lines of `key: value`.")]
    [TestCase("steps\n", ":1: expected lines of `key: value`.")]
    [TestCase("steps: 4\n---\nlayers: 5\n", ":2: a second document begins; one is expected.")]
    [TestCase("steps: \"4\nlayers: 5\n", ": this is not valid YAML: ")]
    [TestCase("steps: 4\n  layers: 5\n", ": this is not valid YAML: ")]
    [TestCase("{steps: 4\n", ": this is not valid YAML: ")]
    [TestCase("? [steps]\n: 4\n", ": this is not valid YAML: ")]
    [TestCase("...\na", ": this is not valid YAML: ")]
    [TestCase("!!+!", ": this is not valid YAML: ")]
    [TestCase("%TAG ! \n", ": this is not valid YAML: ")]
    [TestCase("steps: \"\\uD800\\uD800\"\n", ": this is not valid YAML: ")]
    [TestCase("\"\\e[2J\\n\": 4\n", @":1: there is no key '\u001b[2J\u000a'.")]
    [TestCase("steps: 4\npreset: smal\n", "There is no preset 'smal'")]
    [TestCase("\u00ff", ": byte 0 is not valid UTF-8")]
    public void A_wrong_file_is_one_sentence_with_its_line(string text, string expected)
    {
        var file = tiny.Folder("settings.yaml");
        File.WriteAllBytes(file, Encoding.Latin1.GetBytes(text));
        var said = CommandLine.Fail(
            2, "pretrain", "text", "--data", tiny.Data, "--out", tiny.Folder("run"), "--config", file);
        Assert.That(said, expected[0] == ':' ? Does.Contain(file).And.Contain(expected) : Does.StartWith(expected));
        Assert.That(tiny.Folder("run"), Does.Not.Exist);
    }

    [Test]
    public void A_key_as_long_as_a_file_is_not_compared_with_every_key()
    {
        var key = new string('s', 50_000_000);
        var clock = Stopwatch.StartNew();
        Assert.That(Suggestion.For(key, ["steps", "schedule", "stepsss"]), Is.EqualTo("."));
        // Comparing takes a step for each pair of letters: a billion here.
        Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromMilliseconds(500)));
    }

    [Test]
    public void A_file_that_is_missing_or_a_folder_is_one_sentence()
    {
        foreach (var path in new[] { tiny.Folder("absent.yaml"), tiny.Root })
        {
            Assert.That(CommandLine.Fail(2, "config", "print", "--config", path),
                Does.StartWith($"The configuration {path} cannot be read: "));
        }
    }

    [Test]
    public void What_print_shows_is_read_back([Values("tiny", "small", "base")] string preset)
    {
        var file = tiny.Folder("settings.yaml");
        var shown = CommandLine.Succeed("config", "print", "--preset", preset, "seed=18446744073709551615",
            "learning_rate=0.1e-9", "masking=bert", "keep=7");
        File.WriteAllText(file, shown);
        Assert.That(CommandLine.Succeed("config", "print", "--config", file), Is.EqualTo(shown), "it names its preset");
        Assert.That(CommandLine.Succeed("config", "print", "--preset", preset, "--config", file), Is.EqualTo(shown));
        var changed = CommandLine.Succeed("config", "print", "--config", file, "keep=8");
        Assert.That(changed, Is.EqualTo(shown.Replace("keep: 7\n", "keep: 8\n")).And.Not.EqualTo(shown),
            "the command line wins over the file");
        Assert.That(shown, Does.Contain($"preset: \"{preset}\"\n").And.Contain("learning_rate: 1E-10\n"));
        foreach (var line in shown.Split('\n', StringSplitOptions.RemoveEmptyEntries).Chunk(2))
            Assert.That((line[0][..2], line[1].Contains(": ")), Is.EqualTo(("# ", true)), "a key below its meaning");
    }

    [Test]
    public void A_dry_run_writes_nothing()
    {
        var said = CommandLine.Succeed(tiny.Arguments("run", "steps=8", "--dry-run"));
        Assert.That(said, Does.Contain("steps: 8\n").And.Match(@"# [\d,]+ parameters\n$"));
        Assert.That(Directory.EnumerateFileSystemEntries(tiny.Root), Is.EqualTo(new[] { tiny.Data }));
        Assert.That(CommandLine.Fail(2, tiny.Arguments("run", "steps=8", "hidden=15", "--dry-run")),
            Is.EqualTo("hidden must be a multiple of heads; got 15 and 2."));
    }

    [Test]
    public void No_steps_write_the_untrained_model()
    {
        tiny.Train("untrained", "steps=0", "seed=5");
        tiny.Train("same", "steps=0", "seed=5", "threads=3");
        tiny.Train("other", "steps=0", "seed=6");
        tiny.Train("one", "steps=3", "save_every=1", "keep=9", "seed=5", "learning_rate=0", "weight_decay=0");
        Assert.That(RunFiles.Checkpoints(tiny.Folder("untrained")), Is.EqualTo(new[] { "step-00000000" }));
        var model = RunFiles.Hashes(tiny.Folder("untrained"))["model.safetensors"];
        Assert.That(RunFiles.Hashes(tiny.Folder("same")), Is.EqualTo(RunFiles.Hashes(tiny.Folder("untrained"))));
        Assert.That(RunFiles.Hashes(tiny.Folder("other"))["model.safetensors"], Is.Not.EqualTo(model));
        Assert.That(RunFiles.Hashes(tiny.Folder("one"))["model.safetensors"], Is.EqualTo(model), "a rate of 0");
        var summary = RunFiles.Summary(tiny.Folder("untrained"));
        Assert.That(summary.GetProperty("steps").GetInt32(), Is.Zero);
        Assert.That(summary.GetProperty("loss_first").ValueKind, Is.EqualTo(System.Text.Json.JsonValueKind.Null));
    }
}
