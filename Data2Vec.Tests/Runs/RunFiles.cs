using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Data2Vec.Engine.Serialization;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>Reads what a run has left in its folder.</summary>
internal static class RunFiles
{
    /// <summary>The metrics that tell of time: everything else must be the same in every run.</summary>
    private static readonly string[] Times = ["tokens_per_second", "seconds", "eta_seconds"];

    /// <summary>Names of the checkpoints, in order.</summary>
    public static string[] Checkpoints(string run) =>
    [
        .. Directory.GetDirectories(Path.Combine(run, "checkpoints"), "step-*")
            .Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal),
    ];

    /// <summary>SHA-256 of every file of a checkpoint ("last" or its name), taken from the bytes on the disk.</summary>
    public static SortedDictionary<string, string> Hashes(string run, string checkpoint = "last")
    {
        var folder = Checkpoint.Open(Path.Combine(run, "checkpoints", checkpoint)).Folder;
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles(folder))
            hashes.Add(Path.GetFileName(file), Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))));
        Assert.That(new[]
        {
            "config.json", "manifest.json", "model.safetensors", "pretrain.yaml", "state.json", "state.safetensors",
        }, Is.SubsetOf(hashes.Keys));
        return hashes;
    }

    /// <summary>The bits that training makes: parameters, teacher, moments, counts, published model.</summary>
    public static string[] TrainedHashes(string run, string checkpoint = "last")
    {
        var all = Hashes(run, checkpoint);
        return [all["state.safetensors"], all["state.json"], all["model.safetensors"]];
    }

    /// <summary>metrics.jsonl without its times; each line must be JSON by the letter (no NaN).</summary>
    public static string[] Metrics(string run) => [.. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(line =>
    {
        var values = JsonNode.Parse(line)!.AsObject();
        foreach (var time in Times) Assert.That(values.Remove(time), $"{line} lacks {time}");
        return values.ToJsonString();
    })];

    /// <summary>summary.json.</summary>
    public static JsonElement Summary(string run)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(run, "summary.json")));
        return document.RootElement.Clone();
    }

    /// <summary>
    /// A copy of a run as it would be if it had been killed after saving this checkpoint and logging some more: later
    /// checkpoints are missing, the metrics are all there.
    /// </summary>
    public static void CopyAt(string run, string checkpoint, string to)
    {
        foreach (var file in Directory.GetFiles(run, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(run, file);
            if (name is "summary.json") continue;
            if (name.StartsWith("checkpoints", StringComparison.Ordinal)
                && !name.StartsWith(Path.Combine("checkpoints", checkpoint), StringComparison.Ordinal)) continue;
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(to, name))!);
            File.Copy(file, Path.Combine(to, name));
        }
        CheckpointPointer.Set(Path.Combine(to, "checkpoints"), checkpoint);
    }
}
