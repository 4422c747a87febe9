using System.Text.Json;
using System.Text.Json.Serialization;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Runs a folder of recorded inputs and outputs against the engine: every suite in it that this version knows, from its
/// manifest alone. Sizes, seeds and configurations come from the files.
/// </summary>
public static class ConformanceSuites
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>
    /// Runs every suite of <paramref name="folder"/> (a collection with one folder per suite, or one suite's folder),
    /// prints a line per failure and a summary per suite, and a last line that counts everything.
    /// </summary>
    /// <param name="folder">Where the suites are.</param>
    /// <param name="filter">Only cases whose "suite/function/case" contains this; null = all.</param>
    /// <param name="device">
    /// What computes. With float64 (Reference) the tolerance is 1e-9 of the largest entry, else 8 times the float32
    /// difference that the manifest gives, or 2e-6 of the largest entry where that is more.
    /// </param>
    /// <param name="output">Where the report goes.</param>
    /// <param name="json">A file that also gets every case; null = none.</param>
    /// <returns>0; 1 when a case fails or none was run; 2 when the folder holds no suite.</returns>
    public static int Run(string folder, string? filter, Device device, TextWriter output, string? json = null)
    {
        var reports = new List<SuiteReport>();
        foreach (var path in SuiteFolders(folder))
        {
            var report = new SuiteReport(NameOf(path), filter, output);
            reports.Add(report);
            RunSuite(path, report, device);
            report.Summarise();
        }
        if (reports.Count == 0) output.WriteLine($"{folder} holds no suite: a suite is a folder with a manifest.json.");
        if (json is not null)
        {
            var suites = reports.Select(r => new { suite = r.Suite, cases = r.Results });
            File.WriteAllText(json, JsonSerializer.Serialize(new { folder, device = device.Name, suites }, Json));
        }
        var all = reports.SelectMany(r => r.Results).ToList();
        var failed = all.Count(r => r.Outcome == Outcome.Failed);
        var skipped = all.Count(r => r.Outcome == Outcome.Skipped);
        output.WriteLine($"ops {reports.Sum(r => r.Results.Select(c => c.Group).Distinct().Count())} "
            + $"cases {all.Count} failed {failed} skipped {skipped}");
        return reports.Count == 0 ? 2 : failed > 0 || all.Count == skipped ? 1 : 0;
    }

    internal static void RunSuite(string path, SuiteReport report, Device device)
    {
        try
        {
            using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(path, "manifest.json")));
            var type = device.Backend.Supports(DType.Float64) ? DType.Float64 : DType.Float32;
            switch (report.Suite)
            {
                case "numerics": NumericsSuite.Run(path, manifest.RootElement, report); break;
                case "ops": OpsSuite.Run(path, manifest.RootElement, report, device, type); break;
                case "optim": OptimSuite.Run(path, manifest.RootElement, report, device, type); break;
                case "pretrain-text": PretrainSuites.Text(path, manifest.RootElement, report, device, type); break;
                case "pretrain-audio": PretrainSuites.Audio(path, manifest.RootElement, report, device, type); break;
                case "pretrain-vision": PretrainSuites.Vision(path, manifest.RootElement, report, device, type); break;
                case "image": ImageSuite.Run(path, manifest.RootElement, report); break;
                case "models": ModelsSuite.Run(path, manifest.RootElement, report, device, type); break;
                case "text": RunText(path, report); break;
                case "masks": MasksSuite.Run(path, manifest.RootElement, report); break;
                case "audio": AudioSuite.Run(path, manifest.RootElement, report); break;
                default: SkipAll(manifest.RootElement, report); break;
            }
        }
        catch (Exception e) when (e is IOException or JsonException or KeyNotFoundException or InvalidOperationException
            or InvalidDataException or FormatException)
        {
            report.Run("manifest", "readable", () => throw e);
        }
    }

    private static IEnumerable<string> SuiteFolders(string folder)
    {
        if (!Directory.Exists(folder)) return [];
        if (File.Exists(Path.Combine(folder, "manifest.json"))) return [folder];
        return Directory.EnumerateDirectories(folder).Where(d => File.Exists(Path.Combine(d, "manifest.json"))).Order();
    }

    /// <summary>The manifest says which suite it is; older ones are known by their folder.</summary>
    private static string NameOf(string path)
    {
        var folder = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        try
        {
            using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(path, "manifest.json")));
            var named = manifest.RootElement.TryGetProperty("suite", out var suite)
                && suite.ValueKind == JsonValueKind.String;
            return named ? suite.GetString()! : folder;
        }
        catch (JsonException)
        {
            return folder;
        }
    }

    private static void RunText(string path, SuiteReport report)
    {
        foreach (var result in TextConformance.Run(path))
        {
            var group = result.Name.Split('/')[0];
            var name = result.Name.Length > group.Length ? result.Name[(group.Length + 1)..] : group;
            if (result.Passed is null) report.Skip(group, name, result.Message);
            else report.Run(group, name, () => [result.Passed == true
                ? new Difference("all", 0, 0)
                : new Difference("all", double.PositiveInfinity, 0, result.Message)]);
        }
    }

    private static void SkipAll(JsonElement manifest, SuiteReport report)
    {
        if (!manifest.TryGetProperty("cases", out var cases) || cases.ValueKind != JsonValueKind.Array)
        {
            report.Skip("suite", report.Suite, "not in this version");
            return;
        }
        var number = 0;
        foreach (var item in cases.EnumerateArray())
        {
            report.Skip(report.Suite, CaseName(item) ?? $"{number}", "not in this version");
            number++;
        }
    }

    private static string? CaseName(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object) return null;
        if (!item.TryGetProperty("name", out var name) && !item.TryGetProperty("case", out name)) return null;
        return name.ValueKind == JsonValueKind.String ? name.GetString() : null;
    }
}
