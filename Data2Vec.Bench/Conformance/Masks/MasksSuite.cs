using System.Text.Json;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Mask generators: cases that list every draw must be met exactly, distributions within the recorded errors. Masks are
/// made by host code: what computes does not matter.
/// </summary>
internal static class MasksSuite
{
    public static void Run(string folder, JsonElement manifest, SuiteReport report)
    {
        using var tensors = new RecordedTensors(folder);
        var files = manifest.GetProperty("files").EnumerateArray().Select(f => f.GetString()!).ToHashSet();
        if (files.Contains("exact.json"))
        {
            using var exact = Read(folder, "exact.json");
            ExactMasks.Run(exact.RootElement.GetProperty("groups"), report);
        }
        if (!files.Contains("statistics.json")) return;
        using var statistics = Read(folder, "statistics.json");
        foreach (var item in statistics.RootElement.GetProperty("cases").EnumerateArray())
        {
            report.Run("statistics", item.GetProperty("name").GetString()!, () => MaskStatisticsCase.Run(
                item, tensors["positions.safetensors"], tensors["examples.safetensors"]));
        }
    }

    private static JsonDocument Read(string folder, string file) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, file)));
}
