using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>Published model folders: the bare text model, every hidden state and every gradient.</summary>
internal static class ModelsSuite
{
    private const string Bare = "Data2VecTextModel";

    public static void Run(string folder, JsonElement manifest, SuiteReport report, Device device, DType type)
    {
        foreach (var item in manifest.GetProperty("cases").EnumerateArray())
        {
            var name = item.GetProperty("name").GetString()!;
            var kind = item.GetProperty("class").GetString()!;
            var path = Path.Combine(folder, item.GetProperty("folder").GetString()!);
            if (kind != Bare) report.Skip(kind, name, "only the bare text model is in this version");
            else report.Run(kind, name, () => Text(path, item, device, type));
        }
        foreach (var list in new[] { "folders", "base" })
        {
            if (!manifest.TryGetProperty(list, out var items)) continue;
            foreach (var item in items.EnumerateArray())
                report.Skip(list, item.GetProperty("name").GetString()!, "not in this version");
        }
    }

    private static List<Difference> Text(string folder, JsonElement item, Device device, DType type)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        var pooled = file.Contains("f64.pooler_output");
        var config = PublishedText.ReadConfig(Path.Combine(folder, "config.json"), pooled);
        using var store = new ParameterStore(device, type);
        var encoder = new TextEncoder(store, config, TeacherRule.Shared);
        store.Build(1);
        PublishedText.ReadWeights(Path.Combine(folder, "model.safetensors"), store, config);

        using var scope = device.Scope();
        using var tape = new Tape(device);
        using var view = store.Student(tape);
        var shape = file["in.input_ids"].ToShape();
        var probabilities = Enumerable.Range(0, config.Transformer.Layers).Select(_ => Tensor.Zeros(
            device, new Shape(shape[0], config.Transformer.Heads, shape[1], shape[1]), type)).ToArray();
        var output = encoder.Forward(
            view, Batch(file, shape), new ForwardMode(Collect: true, Probabilities: probabilities));

        var measured = item.GetProperty("checks").GetProperty("float32_vs_float64");
        var forward = Of(measured, "outputs", type);
        var differences = new List<Difference>();
        void Add(string name, Tensor? got)
        {
            var key = "f64." + name;
            if (got is not null && file.Contains(key))
                differences.Add(Comparison.Compare(key, got.ToDoubles(), file.ReadDoubles(key), forward));
        }
        Add("embeddings", output.Hidden[0]);
        Add("last_hidden_state", output.Last);
        for (var i = 0; i < output.Hidden.Count; i++) Add($"hidden_states.{i}", output.Hidden[i]);
        for (var i = 0; i < output.Taps.Count; i++) Add($"ffn.{i}", output.Taps[i]);
        for (var i = 0; i < probabilities.Length; i++) Add($"attentions.{i}", probabilities[i]);
        var pool = pooled ? encoder.Pool(view, output.Last) : null;
        Add("pooler_output", pool);

        var loss = Weighted(file, device, type, output.Last, "last_hidden_state");
        if (pool is not null) loss = Ops.Add(loss, Weighted(file, device, type, pool, "pooler_output"));
        Add("loss", loss);
        tape.Backward(loss);
        Gradients(file, new PublishedParameters(store, config), Of(measured, "gradients", type), type, differences);
        return differences;
    }

    /// <summary>No mask given means that padding is attended to.</summary>
    private static TextBatch Batch(SafetensorsFile file, Shape shape)
    {
        int[] Integers(string name) => Array.ConvertAll(file.ReadIntegers(name), x => (int)x);
        return new TextBatch(shape[0], shape[1], Integers("in.input_ids"))
        {
            Attend = file.Contains("in.attention_mask")
                ? Array.ConvertAll(file.ReadIntegers("in.attention_mask"), x => x != 0)
                : [.. Enumerable.Repeat(true, (int)shape.Count)],
            Types = file.Contains("in.token_type_ids") ? Integers("in.token_type_ids") : null,
        };
    }

    private static Tensor Weighted(SafetensorsFile file, Device device, DType type, Tensor output, string name) =>
        Ops.Sum(Ops.Mul(output, RecordedTensors.Load(device, type, file, "in.cotangent." + name)));

    private static void Gradients(
        SafetensorsFile file, PublishedParameters parameters, Tolerance tolerance, DType type,
        List<Difference> differences)
    {
        const string prefix = "f64.grad.";
        string[] keys = [.. file.Entries.Select(e => e.Name).Where(n => n.StartsWith(prefix, StringComparison.Ordinal)
            && parameters.Contains(n[prefix.Length..]))];
        var largest = keys.Max(k => Comparison.Largest(file.ReadDoubles(k)));
        foreach (var key in keys)
        {
            var recorded = file.ReadDoubles(key);
            var got = parameters.Read(ParameterPart.Gradient, key[prefix.Length..]);
            differences.Add(Comparison.Compare(key, got, recorded, tolerance.ForGradient(recorded, largest, type)));
        }
        foreach (var missing in parameters.Names.Where(n => !keys.Contains(prefix + n)))
        {
            if (Comparison.Largest(parameters.Read(ParameterPart.Gradient, missing)) > 0)
                differences.Add(new(missing, double.PositiveInfinity, 0, "has a gradient, though none is recorded"));
        }
    }

    private static Tolerance Of(JsonElement measured, string kind, DType type)
    {
        if (type == DType.Float64) return new(Tolerance.Double);
        var worst = measured.GetProperty(kind).GetProperty("worst").GetDouble();
        return new(Math.Max(Tolerance.Single, Tolerance.Factor * worst));
    }
}
