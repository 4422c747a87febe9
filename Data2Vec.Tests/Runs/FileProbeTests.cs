using System.Text.Json;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>How files of pictures and speech are read and probed in a run.</summary>
public sealed class FileProbeTests
{
    private static readonly Dictionary<string, string[]> Tiny = new()
    {
        ["vision"] = ["hidden=16", "heads=2", "layers=2", "feed_forward=32", "top_layers=2"],
        ["audio"] =
        [
            "hidden=16", "heads=2", "layers=2", "feed_forward=32", "top_layers=2", "feature_channels=8",
            "position_layers=2", "position_groups=2", "min_samples=2000", "max_samples=3000",
        ],
    };

    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolders()
    {
        folder = new TemporaryFolder();
        foreach (var modality in Tiny.Keys) Directory.CreateDirectory(Path.Combine(folder.Path, modality));
    }

    [TearDown]
    public void RemoveFolders() => folder.Dispose();

    [Test]
    public void The_ground_of_transparent_pictures_is_a_setting()
    {
        var transparent = Path.Combine(Fixtures.CopiedRoot, "image", "files", "png_rgba.png");
        for (var i = 0; i < 12; i++) File.Copy(transparent, Path.Combine(folder.Path, "vision", $"{i}.png"));
        string[] grounds = ["none", "white", "black"];
        var losses = grounds.Select(g => RunFiles.Summary(Train("vision", g, $"ground={g}", "augment=false", "steps=2"))
            .GetProperty("loss_first").GetDouble()).ToArray();
        Assert.That(losses, Is.Unique);
        Assert.That(CommandLine.Fail(2, Arguments("vision", "wrong", "ground=whit")),
            Is.EqualTo("command line: ground must be one of none, white, black; got 'whit'; did you mean 'white'?"));
    }

    [Test]
    public void Files_are_probed_for_what_they_tell_and_the_summary_names_the_rest()
    {
        for (var i = 0; i < 150; i++)
        {
            var of = Directory.CreateDirectory(Path.Combine(folder.Path, "vision", i % 2 == 0 ? "even" : "odd"));
            File.WriteAllBytes(Path.Combine(of.FullName, $"{i}.bmp"), Solid(i));
        }
        var summary = RunFiles.Summary(Train("vision", "pictures", "probes=true", "augment=false", "steps=2"));
        Assert.That(summary.GetProperty("probes").EnumerateArray().Select(p => p.GetProperty("name").GetString()),
            Is.EqualTo(new[] { "hue of the hidden patch" }));
        Assert.That(Reasons(summary).Single(),
            Does.StartWith("class of the picture, pooled: ").And.EndWith("are needed"));

        for (var i = 0; i < 14; i++)
            SmallFiles.WriteWave(Path.Combine(folder.Path, "audio", $"{i}.wav"), 16000, 2500 + 100 * i, (ulong)i);
        summary = RunFiles.Summary(Train("audio", "speech", "probes=true", "steps=2"));
        Assert.That(summary.GetProperty("probes").GetArrayLength(), Is.Zero);
        Assert.That(Reasons(summary).Select(r => r[..r.IndexOf(':')]), Is.EqualTo(new[]
        {
            "loudest band of the hidden frame", "speaker, pooled", "phones and digits",
        }));
    }

    /// <summary>A bitmap of one hue, 24 x 24.</summary>
    private static byte[] Solid(int i)
    {
        using var file = new TemporaryFolder();
        var path = Path.Combine(file.Path, "a.bmp");
        SmallFiles.WriteBitmap(path, 24, 24, (ulong)i);
        var bytes = File.ReadAllBytes(path);
        for (var p = 54; p < bytes.Length; p++) bytes[p] = (byte)(p % 3 == i % 3 ? 220 : 40);
        return bytes;
    }

    private static string[] Reasons(JsonElement summary) =>
        [.. summary.GetProperty("probes_left_out").EnumerateArray().Select(r => r.GetString()!)];

    private string Train(string modality, string name, params string[] more)
    {
        CommandLine.Succeed(Arguments(modality, name, more));
        return Path.Combine(folder.Path, name);
    }

    private string[] Arguments(string modality, string name, params string[] more) =>
    [
        "pretrain", modality, "--device", "cpu", "--out", Path.Combine(folder.Path, name),
        "--data", Path.Combine(folder.Path, modality), .. Tiny[modality], "batch_size=4", "warmup_steps=1",
        .. more.Any(m => m.StartsWith("probes=", StringComparison.Ordinal)) ? Array.Empty<string>() : ["probes=false"],
        .. more,
    ];
}
