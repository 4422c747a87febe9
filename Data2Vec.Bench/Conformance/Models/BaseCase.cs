using System.Text.Json;
using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// A model of published size with weights from a formula: its outputs and gradients by their digests, in float32.
/// Memory: values and gradients of up to 125 million parameters.
/// </summary>
/// <param name="record">What is recorded.</param>
/// <param name="checks">How far the published float32 run is from float64: outputs, and norms of gradients.</param>
/// <param name="gradientError">The same for single elements of gradients, in the small cases of the suite.</param>
/// <param name="device">What computes, in float32.</param>
internal sealed class BaseCase(JsonElement record, JsonElement checks, double gradientError, Device device)
{
    private readonly List<Difference> differences = [];

    public List<Difference> Compare()
    {
        var config = JsonObject.Create(record.GetProperty("config"))!;
        var item = record.GetProperty("item");
        if (item.TryGetProperty("num_labels", out var labels)) config["num_labels"] = labels.GetInt32();
        using var store = new ParameterStore(device);
        var model = PublishedClasses.Declare(
            record.GetProperty("class").GetString()!, PublishedConfig.Of(config), store);
        store.Build(1, initialise: false);
        var formula = new FormulaValues(record.GetProperty("salt").GetString()!);
        formula.Fill(model.Parameters, record.GetProperty("rules"));
        Weights(model.Parameters);
        var inputs = formula.Inputs(record);
        using var scope = device.Scope();
        using var tape = new Tape(device);
        using var view = store.Student(tape);
        var run = ModelRun.Of(model, view, inputs, tape);
        Outputs(run);
        tape.Backward(run.Loss!);
        Gradients(run, tape, model.Parameters);
        return differences;
    }

    /// <summary>First three values and the last one of every parameter, exactly.</summary>
    private void Weights(PublishedParameters parameters)
    {
        var recorded = record.GetProperty("weights").EnumerateObject().ToList();
        if (!recorded.Select(w => w.Name).Order().SequenceEqual(parameters.Names.Order()))
            differences.Add(new("weights", double.PositiveInfinity, 0, "have other names"));
        foreach (var weight in recorded)
        {
            var values = parameters.Read(ParameterPart.Student, weight.Name);
            double[] expected = [.. Numbers(weight.Value, "first"), weight.Value.GetProperty("last").GetDouble()];
            differences.Add(Comparison.Compare(
                weight.Name, [.. values.Take(expected.Length - 1), values[^1]], expected, Tolerance.Exact));
        }
    }

    private void Outputs(ModelRun run)
    {
        var tolerance = ModelCase.Of(checks.GetProperty("outputs")[0].GetDouble(), DType.Float32);
        differences.Add(Comparison.Compare(
            "loss", run.Loss!.Item(), record.GetProperty("loss").GetProperty("float64").GetDouble(), tolerance));
        foreach (var output in record.GetProperty("outputs").EnumerateObject())
        {
            if (!run.Outputs.TryGetValue(output.Name, out var tensor))
            {
                differences.Add(new(output.Name, double.PositiveInfinity, 0, "is not computed"));
                continue;
            }
            var values = tensor.ToDoubles();
            var digest = output.Value.GetProperty("float64");
            var deviation = digest.GetProperty("std").GetDouble();
            var mean = values.Average();
            void Number(string name, double got, Tolerance allowed) => differences.Add(Comparison.Compare(
                $"{output.Name} {name}", got, digest.GetProperty(name).GetDouble(), allowed));
            Number("mean", mean, tolerance with { Floor = deviation });
            Number("std", Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / values.Length), tolerance);
            Number("l2", Math.Sqrt(values.Sum(v => v * v)), tolerance);
            Samples(output.Name, values, Numbers(digest, "samples"), tolerance);
        }
    }

    private void Gradients(ModelRun run, Tape tape, PublishedParameters parameters)
    {
        var tolerance = ModelCase.Of(checks.GetProperty("gradient_norms")[0].GetDouble(), DType.Float32);
        var recorded = record.GetProperty("gradients").EnumerateObject()
            .Select(g => (g.Name, Norm: g.Value.GetProperty("l2_float64").GetDouble(),
                Samples: Numbers(g.Value, "samples_float64"))).ToList();
        var largest = recorded.Max(g => g.Norm);
        foreach (var (name, norm, samples) in recorded)
        {
            var values = parameters.Contains(name)
                ? parameters.Read(ParameterPart.Gradient, name)
                : tape.Gradient(run.Watched[name["input.".Length..]])!.ToDoubles();
            var allowed = tolerance.ForGradient([norm], largest, DType.Float32);
            differences.Add(Comparison.Compare(
                $"gradient {name} l2", Math.Sqrt(values.Sum(v => v * v)), norm, allowed));
            // Errors of elements average out in a norm, so they have a measure of their own. The largest entry is not
            // recorded: the root mean square is a lower bound.
            var size = Math.Max(allowed.Floor, norm / Math.Sqrt(values.Length));
            Samples($"gradient {name}", values, samples,
                ModelCase.Of(gradientError, DType.Float32) with { Floor = size });
        }
        foreach (var name in record.GetProperty("no_gradient").EnumerateArray().Select(n => n.GetString()!))
        {
            if (parameters.HasGradient(name))
                differences.Add(new(name, double.PositiveInfinity, 0, "has a gradient, though none is recorded"));
        }
    }

    private void Samples(string name, double[] values, double[] expected, Tolerance tolerance)
    {
        double[] got = [.. Enumerable.Range(0, expected.Length)
            .Select(k => values[(k * 1000003L + 17) % values.Length])];
        differences.Add(Comparison.Compare($"{name} samples", got, expected, tolerance));
    }

    private static double[] Numbers(JsonElement item, string name) =>
        [.. item.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];
}
