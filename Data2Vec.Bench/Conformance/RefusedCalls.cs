using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Calls that PyTorch rejects: the engine must throw, with a sentence, and not compute something. What its types rule
/// out is refused by the compiler, and reported as such.
/// </summary>
internal static class RefusedCalls
{
    public static void Run(string folder, SuiteReport report, Device device, DType type)
    {
        var errors = Path.Combine(folder, "errors.json");
        if (File.Exists(errors))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(errors));
            RunAll(json.RootElement.GetProperty("errors"), "refused", report, device, type, optional: false);
        }
        var facts = Path.Combine(folder, "facts.json");
        if (!File.Exists(facts)) return;
        using var document = JsonDocument.Parse(File.ReadAllBytes(facts));
        if (document.RootElement.TryGetProperty("bad_inputs_that_torch_accepts", out var bad))
            RunAll(bad, "bad", report, device, type, optional: true);
    }

    private static void RunAll(
        JsonElement entries, string kind, SuiteReport report, Device device, DType type, bool optional)
    {
        var numbers = new Dictionary<string, int>();
        foreach (var entry in entries.EnumerateArray())
        {
            var op = entry.GetProperty("op").GetString()!;
            var number = numbers[op] = numbers.GetValueOrDefault(op) + 1;
            var (group, name) = ($"torch.{op}", $"{kind}/{number}");
            if (OpTable.Find(op, own: false) is not { } call) report.Skip(group, name, OpsSuite.Missing);
            else report.RunRefusal(group, name, () => Refusal(entry, call, device, type, optional));
        }
    }

    private static Difference Refusal(
        JsonElement entry, Func<OpCall, Tensor[]> call, Device device, DType type, bool optional)
    {
        using var scope = device.Scope();
        using var memory = new DeviceMemory(device);
        try
        {
            var arguments = new OpCall(device, type, "", Inputs(entry.GetProperty("tensors"), device),
                entry.GetProperty("kwargs"), memory);
            var outputs = call(arguments);
            arguments.RefuseUnread();
            // Queued operations report bad indices when their results are fetched.
            foreach (var output in outputs) output.ToDoubles();
            if (arguments.Decision is { } decision)
            {
                var difference = decision.Check(outputs);
                return !difference.Fits ? difference
                    : throw new DecisionException($"not refused by decision: {decision.Meaning}");
            }
        }
        catch (ArgumentException e) when (e.Message.Length > 20)
        {
            return new Difference("refusal", 0, 0);
        }
        if (optional) throw new NotExpressibleException("accepted, as PyTorch does");
        var why = entry.TryGetProperty("message", out var message) ? message.GetString() : "a bad argument";
        return new Difference("refusal", double.PositiveInfinity, 0, $"accepted, though it should be refused ({why})");
    }

    private static Dictionary<string, Tensor> Inputs(JsonElement tensors, Device device)
    {
        var inputs = new Dictionary<string, Tensor>();
        // A device without float64 keeps the difference between two types: it takes bfloat16 for the narrower one.
        var text = tensors.GetRawText();
        var single = !device.Backend.Supports(DType.Float64) && text.Contains("float64", StringComparison.Ordinal)
            ? DType.BFloat16 : DType.Float32;
        foreach (var argument in tensors.EnumerateObject())
        {
            var value = argument.Value;
            var isShape = value.ValueKind == JsonValueKind.Array
                && value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.Number);
            if (value.ValueKind != JsonValueKind.Array || isShape)
            {
                inputs[argument.Name] = Input(value, device, single);
                continue;
            }
            var number = 0;
            foreach (var item in value.EnumerateArray())
                inputs[$"{argument.Name}.{number++}"] = Input(item, device, single);
        }
        return inputs;
    }

    /// <summary>A shape alone, or shape, type and perhaps values.</summary>
    private static Tensor Input(JsonElement item, Device device, DType single)
    {
        var bare = item.ValueKind == JsonValueKind.Array;
        var extents = bare ? item : item.GetProperty("shape");
        var shape = new Shape([.. extents.EnumerateArray().Select(d => d.GetInt32())]);
        var dtype = bare ? "float64" : item.GetProperty("dtype").GetString()!;
        double[] values = !bare && item.TryGetProperty("values", out var given)
            ? [.. given.EnumerateArray().Select(OpCall.NumberOf)]
            : [.. Enumerable.Range(0, checked((int)shape.Count)).Select(i => 0.25 + 0.5 * (i % 3))];
        return dtype switch
        {
            "bool" => Tensor.From<bool>(device, Array.ConvertAll(values, v => v != 0), shape),
            "int32" => Tensor.From<int>(device, Array.ConvertAll(values, v => (int)v), shape),
            "int64" => Tensor.From<long>(device, Array.ConvertAll(values, v => (long)v), shape),
            "float32" => Tensor.FromDoubles(device, values, shape, single),
            "float64" => Tensor.FromDoubles(device, values, shape,
                device.Backend.Supports(DType.Float64) ? DType.Float64 : DType.Float32),
            _ => throw new SignatureException($"there are no {dtype} tensors"),
        };
    }
}
