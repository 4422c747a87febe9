using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>Optimisers, clipping, schedules and the teacher's average.</summary>
internal static class OptimSuite
{
    public static void Run(string folder, JsonElement manifest, SuiteReport report, Device device, DType type)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, "optim.safetensors"));
        foreach (var item in Each(manifest, "trajectories"))
            report.Run("trajectory", Name(item), () => OptimTrajectory.Run(item, file, device, type));
        foreach (var item in Each(manifest, "clipping"))
        {
            var kind = item.GetProperty("kind").GetString();
            report.Run("clipping", $"{Name(item)}/{kind}", () => Clipping(item, file, device));
        }
        foreach (var item in Each(manifest, "half_precision"))
            report.Run("half_precision", Name(item), () => OptimTrajectory.RunMasters(item, file, device));
        foreach (var item in Each(manifest, "ema"))
            report.Run("ema", Name(item), () => TeacherTrajectory.Run(item, file, device));
        foreach (var item in Each(manifest, "loss_scaler_fairseq"))
            report.Run("loss_scaler_fairseq", Name(item), () => LossScaling.RunFairseq(item));
        foreach (var item in Each(manifest, "grad_scaler_torch"))
            report.Run("grad_scaler_torch", Name(item), () => LossScaling.RunTorch(item, file, device));
        RunSchedules(Path.Combine(folder, "schedules.json"), report);
    }

    public static string Name(JsonElement item) => item.GetProperty("name").GetString()!;

    private static void RunSchedules(string path, SuiteReport report)
    {
        if (!File.Exists(path)) return;
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        foreach (var item in Each(json.RootElement, "schedules"))
        {
            var kind = item.GetProperty("kind").GetString()!;
            report.Run(kind, Name(item), () => Values(RecordedSchedules.Rate(item).Rate, item));
        }
        foreach (var item in Each(json.RootElement, "ema_decay"))
            report.Run("ema_decay", Name(item), () => Values(RecordedSchedules.Decay(item), item));
        foreach (var item in Each(json.RootElement, "ema_calls"))
            report.Run("ema_calls", Name(item), () => RecordedSchedules.Calls(item));
    }

    private static IEnumerable<Difference> Values(Func<long, double> schedule, JsonElement item)
    {
        double[] points = [.. item.GetProperty("points").EnumerateArray().Select(p => schedule(p.GetInt64()))];
        double[] values = [.. item.GetProperty("values").EnumerateArray().Select(OpCall.NumberOf)];
        // A schedule is host arithmetic in double whatever the device.
        return [Comparison.Compare("values", points, values, new(Tolerance.Double))];
    }

    /// <summary>Recorded in float32: norm, and every gradient times the kernel's factor.</summary>
    private static List<Difference> Clipping(JsonElement item, SafetensorsFile file, Device device)
    {
        using var memory = new DeviceMemory(device);
        var (folder, kind) = ($"clip/{Name(item)}/", item.GetProperty("kind").GetString()!);
        string[] names = [.. file.Entries.Select(e => e.Name)
            .Where(n => n.StartsWith(folder + "in", StringComparison.Ordinal)).Order()];
        var gradients = Array.ConvertAll(names, file.ReadDoubles);
        var (norm, factor) = GradientClipping.Run(
            memory, device, DType.Float32, gradients, item.GetProperty("max_norm").GetDouble());
        var tolerance = new Tolerance(Tolerance.Single);
        var recorded = item.GetProperty("total_norm");
        var differences = new List<Difference>
        {
            Comparison.Compare("total_norm", norm, recorded.ValueKind == JsonValueKind.String
                ? double.Parse(recorded.GetString()!.Replace("inf", "Infinity").Replace("nan", "NaN"),
                    System.Globalization.CultureInfo.InvariantCulture)
                : recorded.GetDouble(), tolerance),
        };
        for (var i = 0; i < names.Length; i++)
        {
            var output = $"{folder}{kind}_out{names[i][(folder.Length + 2)..]}";
            var clipped = Array.ConvertAll(gradients[i], g => g * factor);
            differences.Add(Comparison.Compare(output, clipped, file.ReadDoubles(output), tolerance));
        }
        return differences;
    }

    private static IEnumerable<JsonElement> Each(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var list) ? list.EnumerateArray() : Enumerable.Empty<JsonElement>();
}
