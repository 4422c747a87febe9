using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Whole pre-training updates of the published code with recorded weights and masks: teacher, student, targets, loss,
/// gradients, clipping, optimiser and average; for vision also fine-tuning updates.
/// </summary>
internal static class PretrainSuites
{
    public static void Text(string folder, JsonElement manifest, SuiteReport report, Device device, DType type)
    {
        var names = manifest.GetProperty("names");
        Run(folder, manifest, report, (item, files) =>
        {
            var file = files[item.GetProperty("file").GetString()!];
            using var run = new PretrainTextCase(item, names, file, device, type);
            return run.Compare();
        });
    }

    public static void Audio(string folder, JsonElement manifest, SuiteReport report, Device device, DType type)
    {
        var names = manifest.GetProperty("names");
        Run(folder, manifest, report, (item, files) =>
        {
            var file = files[item.GetProperty("file").GetString()!];
            using var run = new PretrainAudioCase(item, names, file, device, type);
            return run.Compare();
        });
    }

    public static void Vision(string folder, JsonElement manifest, SuiteReport report, Device device, DType type) =>
        Run(folder, manifest, report, (item, files) =>
        {
            var names = item.GetProperty("files");
            var inputs = files[names.GetProperty("inputs").GetString()!];
            var expected = files[names.GetProperty("float64").GetString()!];
            if (item.GetProperty("kind").GetString() == "pretrain")
            {
                using var run = new PretrainVisionCase(item, inputs, expected, device, type);
                return run.Compare();
            }
            using var fineTuning = new FineTuneVisionCase(item, inputs, expected, device, type);
            return fineTuning.Compare();
        });

    private static void Run(
        string folder, JsonElement manifest, SuiteReport report,
        Func<JsonElement, RecordedTensors, IEnumerable<Difference>> compare)
    {
        using var tensors = new RecordedTensors(folder);
        foreach (var item in manifest.GetProperty("cases").EnumerateArray())
        {
            var group = item.TryGetProperty("marked", out var g) || item.TryGetProperty("kind", out g)
                ? g.GetString()!
                : "case";
            report.Run(group, item.GetProperty("name").GetString()!, () => compare(item, tensors));
        }
    }
}
