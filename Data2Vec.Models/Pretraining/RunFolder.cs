using System.Text;
using System.Text.Json;
using Data2Vec.Engine.Serialization;

namespace Data2Vec.Models;

/// <summary>
/// Where a run leaves its results: config.yaml, tokenizer/, data.json, metrics.jsonl, checkpoints/ (with last), summary.json.
/// </summary>
public sealed class RunFolder
{
    private static readonly JsonSerializerOptions Line = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static readonly JsonSerializerOptions Pretty = new(Line) { WriteIndented = true };

    /// <summary>Opens a run folder, making it where it is missing.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="keep">Checkpoints to keep.</param>
    /// <exception cref="CheckpointException">The folder cannot be made.</exception>
    public RunFolder(string path, int keep)
    {
        Path = System.IO.Path.GetFullPath(path);
        Checkpoints = new CheckpointFolder(System.IO.Path.Combine(Path, "checkpoints"), keep);
    }

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>The checkpoints.</summary>
    public CheckpointFolder Checkpoints { get; }

    /// <summary>Path of a file of the run.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a small text file of the run.</summary>
    public void WriteText(string name, string text) => System.IO.File.WriteAllText(File(name), text, new UTF8Encoding(false));

    /// <summary>Writes a record as indented JSON with snake_case names; NaN and infinity are refused.</summary>
    public void WriteJson<T>(string name, T value) =>
        System.IO.File.WriteAllBytes(File(name), JsonSerializer.SerializeToUtf8Bytes(value, Pretty));

    /// <summary>Appends one line to metrics.jsonl.</summary>
    public void AppendMetrics(StepReport report) =>
        System.IO.File.AppendAllText(File("metrics.jsonl"), JsonSerializer.Serialize(report, Line) + "\n");

    /// <summary>Loss of the first line of metrics.jsonl; null when there is none.</summary>
    public double? FirstLoss()
    {
        var path = File("metrics.jsonl");
        if (!System.IO.File.Exists(path) || System.IO.File.ReadLines(path).FirstOrDefault() is not { } line) return null;
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("loss").GetDouble();
    }

    /// <summary>Removes metrics of steps after the one that is resumed, and a line cut short by a kill.</summary>
    public void TruncateMetrics(int step)
    {
        var path = File("metrics.jsonl");
        if (!System.IO.File.Exists(path)) return;
        var kept = new List<string>();
        foreach (var line in System.IO.File.ReadLines(path))
        {
            try
            {
                using var document = JsonDocument.Parse(line);
                if (document.RootElement.GetProperty("step").GetInt32() <= step) kept.Add(line);
            }
            catch (JsonException)
            {
                break;
            }
        }
        System.IO.File.WriteAllLines(path, kept);
    }
}
