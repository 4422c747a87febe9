using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>Recorded loss scalers: alone, and around an optimiser.</summary>
internal static class LossScaling
{
    /// <summary>A scaler by fairseq's arguments.</summary>
    public static FairseqLossScaler Fairseq(JsonElement options) => new(
        Number(options, "init_scale", 32768), Number(options, "scale_factor", 2),
        (int)Number(options, "scale_window", 2000), Number(options, "tolerance", 0),
        options.TryGetProperty("threshold", out var t) && t.ValueKind == JsonValueKind.Number ? t.GetDouble() : null,
        Number(options, "min_loss_scale", 1e-4));

    /// <summary>Rows of norm, scale before, event and scale after.</summary>
    public static IEnumerable<Difference> RunFairseq(JsonElement item)
    {
        var scaler = Fairseq(item.GetProperty("options"));
        var attempt = 0;
        foreach (var row in item.GetProperty("rows").EnumerateArray())
        {
            attempt++;
            yield return Scale($"before {attempt}", scaler, row[1]);
            var (finite, aborts) = (row[0].GetString() is not ("inf" or "nan"), false);
            try
            {
                scaler.Update(finite);
            }
            catch (ArithmeticException)
            {
                aborts = true;
            }
            var recorded = row[2].GetString()!.StartsWith("abort", StringComparison.Ordinal);
            yield return Comparison.Compare($"abort {attempt}", aborts ? 1 : 0, recorded ? 1 : 0, Tolerance.Exact);
            yield return Scale($"after {attempt}", scaler, row[3]);
        }
    }

    /// <summary>AdamW under PyTorch's scaler: parameters, scales and the optimiser's own counter.</summary>
    public static List<Difference> RunTorch(JsonElement item, SafetensorsFile file, Device device)
    {
        var options = item.GetProperty("options");
        ILossScaler scaler = new TorchLossScaler(Number(options, "init_scale", 65536),
            Number(options, "growth_factor", 2), Number(options, "backoff_factor", 0.5),
            (int)Number(options, "growth_interval", 2000));
        var prefix = $"grad_scaler/{OptimSuite.Name(item)}/";
        var rows = item.GetProperty("rows").EnumerateArray().ToArray();
        using var run = new FlatRun(
            device, DType.Float32, [OptimTrajectory.Row(file, prefix + "p", 0, rows.Length + 1)]);
        run.Segments[0].WeightDecay = item.GetProperty("weight_decay").GetDouble();
        run.Step.LearningRate = item.GetProperty("lr").GetDouble();
        var differences = new List<Difference>();
        for (var t = 0; t < rows.Length; t++)
        {
            differences.Add(Scale($"before {t + 1}", scaler, rows[t][1]));
            run.SetGradient(0, OptimTrajectory.Row(file, prefix + "scaled_grad", t, rows.Length));
            run.Step.GradientDivisor = scaler.Scale;
            run.Update(new AdamOptions());
            scaler.Update(run.Step.NonFinite == 0);
            differences.Add(Scale($"after {t + 1}", scaler, rows[t][2]));
            differences.Add(Comparison.Compare(
                $"updates {t + 1}", run.Segments[0].StepCount, rows[t][3].GetDouble(), Tolerance.Exact));
            differences.Add(Comparison.Compare($"p after {t + 1}", run.Read(0),
                OptimTrajectory.Row(file, prefix + "p", t + 1, rows.Length + 1), new(Tolerance.Single)));
        }
        return differences;
    }

    /// <summary>Scales are powers of two times the first one: nothing rounds.</summary>
    public static Difference Scale(string when, ILossScaler scaler, JsonElement recorded) =>
        Comparison.Compare($"scale {when}", scaler.Scale, recorded.GetDouble(), Tolerance.Exact);

    private static double Number(JsonElement options, string name, double otherwise) =>
        options.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble() : otherwise;
}
