using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>Published model folders: outputs, gradients, variants of files, names and shapes.</summary>
internal static class ModelsSuite
{
    public static void Run(string folder, JsonElement manifest, SuiteReport report, Device device, DType type)
    {
        var measured = new Dictionary<string, double>();
        var gradients = 0.0;
        foreach (var item in manifest.GetProperty("cases").EnumerateArray())
        {
            var path = item.GetProperty("folder").GetString()!;
            var checks = item.GetProperty("checks").GetProperty("float32_vs_float64");
            measured[path] = checks.GetProperty("outputs").GetProperty("worst").GetDouble();
            gradients = Math.Max(gradients, checks.GetProperty("gradients").GetProperty("worst").GetDouble());
            Run(report, item.GetProperty("class").GetString()!, item, "class",
                () => new ModelCase(Path.Combine(folder, path), item, device, type).Compare());
        }
        foreach (var item in List(manifest, "folders"))
        {
            var worst = item.TryGetProperty("float32_vs_float64", out var own) ? own.GetDouble()
                : measured.GetValueOrDefault(item.GetProperty("from").GetString()!);
            Run(report, "folders", item, "load_class",
                () => new FolderCase(folder, item, worst, device, type).Compare());
        }
        var layout = Path.Combine(folder, "published_layout.json");
        if (File.Exists(layout)) PublishedLayout.Run(layout, report);
        foreach (var item in List(manifest, "base"))
            Base(folder, item, gradients, report, device);
    }

    private static void Base(
        string folder, JsonElement item, double gradients, SuiteReport report, Device device)
    {
        var name = item.GetProperty("name").GetString()!;
        if (device.Backend.Supports(DType.Float64))
        {
            report.Skip("base", name, "published size takes too long in loops that read like the formula; cpu runs it");
            return;
        }
        report.Run("base", name, () =>
        {
            using var record = JsonDocument.Parse(
                File.ReadAllBytes(Path.Combine(folder, item.GetProperty("file").GetString()!)));
            return new BaseCase(record.RootElement, item.GetProperty("checks"), gradients, device).Compare();
        });
    }

    private static void Run(
        SuiteReport report, string group, JsonElement item, string field, Func<List<Difference>> compare)
    {
        var name = item.GetProperty("name").GetString()!;
        if (PublishedClasses.Names.Contains(item.GetProperty(field).GetString()!)) report.Run(group, name, compare);
        else report.Skip(group, name, "not in this version");
    }

    private static IEnumerable<JsonElement> List(JsonElement manifest, string name) =>
        manifest.TryGetProperty(name, out var items) ? items.EnumerateArray() : [];
}
