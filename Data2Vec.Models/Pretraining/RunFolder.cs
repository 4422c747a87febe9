using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels.Platform;

namespace Data2Vec.Models;

/// <summary>
/// Where a run leaves its results: config.yaml, tokenizer/, data.json, metrics.jsonl, checkpoints/ (with last),
/// summary.json. One process at a time has it. A small file is replaced in one step: a kill leaves the old or the new.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private const string LockName = ".lock";
    private const string MetricsName = "metrics.jsonl";
    private const string DataName = "data.json";

    private static readonly JsonSerializerOptions Line = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Converters = { new FiniteOrNull() },
    };

    private static readonly JsonSerializerOptions Pretty = new(Line) { WriteIndented = true };

    private readonly bool made;
    private readonly FileStream inUse;

    /// <summary>Takes a run folder, making it where it is missing.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="keep">Checkpoints to keep.</param>
    /// <exception cref="CheckpointException">The folder cannot be made.</exception>
    /// <exception cref="IOException">Another process has it, or it cannot be written.</exception>
    public RunFolder(string path, int keep)
    {
        Path = System.IO.Path.GetFullPath(path);
        made = !Directory.Exists(Path);
        Checkpoints = new CheckpointFolder(System.IO.Path.Combine(Path, "checkpoints"), keep);
        inUse = Take();
    }

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>The checkpoints.</summary>
    public CheckpointFolder Checkpoints { get; }

    /// <summary>The checkpoint that the run goes on from; null where it begins.</summary>
    public Checkpoint? Start { get; private set; }

    /// <summary>Removes what an interrupted save has left, and finds the checkpoint to go on from.</summary>
    /// <param name="resume">Going on is wanted, if there is a checkpoint.</param>
    /// <returns>Names of what was removed.</returns>
    /// <exception cref="IOException">There is a run and going on is not wanted, or it is damaged.</exception>
    public IReadOnlyList<string> Prepare(bool resume)
    {
        var removed = Checkpoints.Sweep();
        Start = Checkpoints.OpenLast();
        if (Start is not null && !resume)
            throw new IOException($"{Path} holds a run already; go on with --resume auto or choose another --out.");
        return removed;
    }

    /// <summary>Path of a file of the run.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a small text file of the run.</summary>
    public void WriteText(string name, string text) => Replace(name, new UTF8Encoding(false).GetBytes(text));

    /// <summary>Writes a record as indented JSON with snake_case names; what is not finite becomes null.</summary>
    public void WriteJson<T>(string name, T value) => Replace(name, JsonSerializer.SerializeToUtf8Bytes(value, Pretty));

    /// <summary>Writes data.json: what was read, with its digest in a property of that name.</summary>
    /// <exception cref="IOException">The run goes on, and it was begun with other data.</exception>
    public void WriteData<T>(string digest, T description)
    {
        if (Start is not null && System.IO.File.Exists(File(DataName)))
        {
            using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(File(DataName)));
            if (document.RootElement.TryGetProperty("digest", out var before) && before.ToString() != digest)
            {
                throw new IOException($"The run in {Path} was begun with other data (SHA-256 {before} in {DataName}, "
                    + $"now {digest}), so it cannot go on.");
            }
        }
        WriteJson(DataName, description);
    }

    /// <summary>Appends one line to metrics.jsonl.</summary>
    public void AppendMetrics(StepReport report) => Write(MetricsName,
        path => System.IO.File.AppendAllText(path, JsonSerializer.Serialize(report, Line) + "\n"));

    /// <summary>What metrics.jsonl says, up to a line that was cut short by a kill.</summary>
    public IEnumerable<StepReport> ReadMetrics() => Lines().Select(l => l.Report);

    /// <summary>Removes metrics of steps after the one that the run goes on from, and a line cut short.</summary>
    public void TruncateMetrics(int step)
    {
        if (!System.IO.File.Exists(File(MetricsName))) return;
        WriteText(MetricsName, string.Concat(Lines().TakeWhile(l => l.Report.Step <= step).Select(l => l.Text + "\n")));
    }

    /// <summary>Lets other processes have the folder; removes it where nothing was written into a new one.</summary>
    public void Dispose()
    {
        inUse.Dispose();
        if (!made) return;
        try
        {
            var files = Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories);
            if (files.Any(f => f != File(LockName))) return;
            System.IO.File.Delete(File(LockName));
            Directory.Delete(Checkpoints.Path);
            Directory.Delete(Path);
        }
        catch (IOException)
        {
            // Somebody has begun to use it.
        }
    }

    private FileStream Take()
    {
        try
        {
            // Without sharing: the system lets go of it when the process ends, however it ends.
            return new FileStream(File(LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(IsInUse(e) ? $"Another process trains in {Path}; wait for it or choose another --out."
                : $"The run folder {Path} cannot be used, because {DiskFailure.Reason(e)}.", e);
        }
    }

    private IEnumerable<(string Text, StepReport Report)> Lines()
    {
        if (!System.IO.File.Exists(File(MetricsName))) yield break;
        foreach (var line in System.IO.File.ReadLines(File(MetricsName)))
        {
            StepReport? report;
            try
            {
                report = JsonSerializer.Deserialize<StepReport>(line, Line);
            }
            catch (JsonException)
            {
                yield break;
            }
            if (report is null) yield break;
            yield return (line, report);
        }
    }

    private static bool IsInUse(Exception e)
    {
        // EWOULDBLOCK of Linux and of macOS, ERROR_SHARING_VIOLATION.
        return e.HResult is 11 or 35 or unchecked((int)0x80070020);
    }

    private void Replace(string name, byte[] content) => Write(name, path =>
    {
        var temporary = File($".{name}.new");
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }
        DurableFiles.Replace(temporary, path);
    });

    private void Write(string name, Action<string> write)
    {
        try
        {
            write(File(name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{File(name)} cannot be written, because {DiskFailure.Reason(e)}.", e);
        }
    }

    /// <summary>JSON has no NaN: null stands for it, and is read as NaN.</summary>
    private sealed class FiniteOrNull : JsonConverter<double>
    {
        public override bool HandleNull => true;

        public override double Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value)) writer.WriteNumberValue(value);
            else writer.WriteNullValue();
        }
    }
}
