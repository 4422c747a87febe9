using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>Single operations, forward and every gradient, and calls that must be refused.</summary>
internal static class OpsSuite
{
    /// <summary>The recorded differences are relative to the largest entry of a tensor, but at least to this.</summary>
    private const double Floor = 1e-3;

    public const string Missing = "the engine has no such operation";

    public static void Run(string folder, JsonElement manifest, SuiteReport report, Device device, DType type)
    {
        using var tensors = new RecordedTensors(folder);
        foreach (var item in manifest.GetProperty("cases").EnumerateArray())
        {
            var op = item.GetProperty("op").GetString()!;
            var name = item.GetProperty("case").GetString()!;
            if (name.StartsWith(op + "/", StringComparison.Ordinal)) name = name[(op.Length + 1)..];
            var own = item.GetProperty("source").GetString() != "opinfo";
            var group = own ? op : $"torch.{op}";
            var file = item.GetProperty("file").GetString()!;
            if (OpTable.Find(op, own) is not { } call) report.Skip(group, name, Missing);
            else report.Run(group, name, () => Case(item, tensors[file], call, device, type, name));
        }
        RefusedCalls.Run(folder, report, device, type);
    }

    private static List<Difference> Case(
        JsonElement item, SafetensorsFile file, Func<OpCall, Tensor[]> call, Device device, DType type, string variant)
    {
        var tolerance = ToleranceOf(item, type);
        // Without a tolerance: the entries that float32 can be held to one by one.
        var entries = tolerance is null
            ? FloatEntries.Of([.. Names(item, "inputs").Select(k => file.ReadDoubles(k!))])
            : [];
        using var scope = device.Scope();
        using var tape = new Tape(device);
        using var memory = new DeviceMemory(device);
        var grads = Names(item, "grads");
        var wanted = grads.Select(g => After(g!, "/grad.")).ToHashSet();
        var inputs = new Dictionary<string, Tensor>();
        foreach (var key in Names(item, "inputs"))
        {
            var name = After(key!, "/in.");
            var t = RecordedTensors.Load(device, type, file, key!);
            inputs[name] = wanted.Contains(name) ? tape.Watch(t) : t;
        }
        var arguments = new OpCall(device, type, variant, inputs, item.GetProperty("kwargs"), memory);
        var outputs = call(arguments);
        arguments.RefuseUnread();

        var expected = Names(item, "outputs");
        if (outputs.Length != expected.Length)
        {
            return [new("outputs", double.PositiveInfinity, 0,
                $"{outputs.Length} outputs, expected {expected.Length}")];
        }
        var truth = item.TryGetProperty("truth", out _);
        var differences = new List<Difference>();
        for (var i = 0; i < outputs.Length; i++)
            differences.Add(Compare(file, Recorded(file, expected[i]!, "/out", truth), outputs[i], tolerance, entries));
        Backward(item, file, tape, outputs, type);
        string[] keys = [.. grads.Select(g => Recorded(file, g!, "/grad.", truth))];
        var largest = LargestOf(file, keys);
        // Where theory makes every gradient 0, what cancels is of the size of the cotangents.
        if (largest == 0) largest = LargestOf(file, Names(item, "cotangents").OfType<string>());
        for (var i = 0; i < keys.Length; i++)
        {
            var input = inputs[After(grads[i]!, "/grad.")];
            var gradient = tape.Gradient(input) ?? Tensor.Zeros(device, input.Shape, input.DType);
            differences.Add(Compare(
                file, keys[i], gradient, tolerance?.ForGradient(file.ReadDoubles(keys[i]), largest, type), entries));
        }
        return differences;
    }

    /// <summary>
    /// The gradient of sum(output * cotangent) over all outputs that have a cotangent. An output that depends on
    /// nothing tracked has no gradient to give.
    /// </summary>
    private static void Backward(JsonElement item, SafetensorsFile file, Tape tape, Tensor[] outputs, DType type)
    {
        var cotangents = Names(item, "cotangents");
        var parts = new List<(Tensor Output, Tensor Cotangent)>();
        for (var i = 0; i < outputs.Length && i < cotangents.Length; i++)
        {
            if (cotangents[i] is { } key && outputs[i].IsTracked)
                parts.Add((outputs[i], RecordedTensors.Load(outputs[i].Device, type, file, key)));
        }
        if (parts.Count == 0) return;
        if (parts.Count == 1)
        {
            tape.Backward(parts[0].Output, parts[0].Cotangent);
            return;
        }
        var total = parts.Select(p => Ops.Sum(Ops.Mul(p.Output, p.Cotangent))).Aggregate(Ops.Add);
        tape.Backward(total);
    }

    private static double LargestOf(SafetensorsFile file, IEnumerable<string> keys) =>
        keys.Select(k => Comparison.Largest(file.ReadDoubles(k))).DefaultIfEmpty(0).Max();

    /// <summary>Where a case has the float64 truth of float32 numbers, that is what counts.</summary>
    private static string Recorded(SafetensorsFile file, string key, string part, bool truth)
    {
        if (!truth) return key;
        var at = key.IndexOf(part, StringComparison.Ordinal);
        var exact = $"{key[..at]}/truth.{key[(at + 1)..]}";
        return file.Contains(exact) ? exact : key;
    }

    private static Difference Compare(
        SafetensorsFile file, string key, Tensor got, Tolerance? tolerance, bool[] entries)
    {
        var name = key[(key.IndexOf('/') + 1)..];
        var shape = file[key].ToShape();
        if (got.Shape != shape)
            return new Difference(name, double.PositiveInfinity, 0, $"shape {got.Shape}, expected {shape}");
        return tolerance is null
            ? FloatEntries.Compare(name, got.ToDoubles(), file.ReadDoubles(key), entries)
            : Comparison.Compare(name, got.ToDoubles(), file.ReadDoubles(key), tolerance.Value);
    }

    /// <summary>Null where no difference of a published float32 run is recorded.</summary>
    private static Tolerance? ToleranceOf(JsonElement item, DType type)
    {
        if (type == DType.Float64) return new(Tolerance.Double, Floor);
        return item.TryGetProperty("f32_error", out var error)
            ? new(Math.Max(Tolerance.Single, Tolerance.Factor * error.GetDouble()), Floor)
            : null;
    }

    private static string?[] Names(JsonElement item, string list) =>
        [.. item.GetProperty(list).EnumerateArray().Select(v => v.GetString())];

    private static string After(string key, string part) =>
        key[(key.IndexOf(part, StringComparison.Ordinal) + part.Length)..];
}
