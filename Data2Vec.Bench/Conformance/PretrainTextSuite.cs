using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Whole pre-training updates of the published text code with recorded weights and masks: teacher, student, targets,
/// loss, gradients, clipping, optimiser and average.
/// </summary>
internal static class PretrainTextSuite
{
    public static void Run(string folder, JsonElement manifest, SuiteReport report, Device device, DType type)
    {
        using var tensors = new RecordedTensors(folder);
        var names = manifest.GetProperty("names");
        foreach (var item in manifest.GetProperty("cases").EnumerateArray())
        {
            var marked = item.TryGetProperty("marked", out var m) ? m.GetString()! : "case";
            report.Run(marked, item.GetProperty("name").GetString()!, () =>
            {
                using var run = new PretrainTextCase(
                    item, names, tensors[item.GetProperty("file").GetString()!], device, type);
                return run.Compare();
            });
        }
    }
}
