using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// A published folder: loaded, run, differentiated, and written again bit by bit. Every recorded tensor must be
/// computed, and no parameter may have a gradient that is not recorded.
/// </summary>
internal sealed class ModelCase(string folder, JsonElement item, Device device, DType type)
{
    private const string Output = "f64.";
    private const string Gradient = "f64.grad.";
    private const string InputGradient = "input.";

    private readonly List<Difference> differences = [];

    public List<Difference> Compare()
    {
        var config = PublishedConfig.Read(Path.Combine(folder, "config.json"));
        using var files = PublishedFiles.Open(folder);
        using var store = new ParameterStore(device, type);
        var model = PublishedClasses.Declare(item.GetProperty("class").GetString()!, config, store, files);
        store.Build(1);
        PublishedReader.Read(files, model.Parameters);
        differences.AddRange(WrittenAgain.Compare(files, model.Parameters));

        using var recorded = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        differences.AddRange(PreparedInputs.Compare(folder, item, recorded));
        using var scope = device.Scope();
        using var tape = new Tape(device);
        using var view = store.Student(tape);
        var run = ModelRun.Of(model, view, ModelInputs.Read(recorded), tape);
        var measured = item.GetProperty("checks").GetProperty("float32_vs_float64");
        differences.AddRange(Outputs(run, recorded, Of(measured, "outputs", type)));
        tape.Backward(run.Loss ?? throw new InvalidDataException($"{folder} has no labels and no cotangents."));
        Gradients(run, tape, recorded, model.Parameters, Of(measured, "gradients", type));
        return differences;
    }

    /// <summary>Every recorded output, of a case or of another folder.</summary>
    public static IEnumerable<Difference> Outputs(ModelRun run, SafetensorsFile recorded, Tolerance tolerance)
    {
        foreach (var name in recorded.Entries.Select(e => e.Name).Where(n =>
            n.StartsWith(Output, StringComparison.Ordinal) && !n.StartsWith(Gradient, StringComparison.Ordinal)))
        {
            yield return run.Outputs.TryGetValue(name[Output.Length..], out var got)
                ? Comparison.Compare(name, got.ToDoubles(), recorded.ReadDoubles(name), tolerance)
                : NotComputed(name);
        }
    }

    /// <summary>float32 may be some times further from float64 than the published float32 run is.</summary>
    public static Tolerance Of(double worst, DType type) => type == DType.Float64
        ? new(Tolerance.Double)
        : new(Math.Max(Tolerance.Single, Tolerance.Factor * worst));

    public static Tolerance Of(JsonElement measured, string kind, DType type) =>
        Of(measured.GetProperty(kind).GetProperty("worst").GetDouble(), type);

    private void Gradients(
        ModelRun run, Tape tape, SafetensorsFile recorded, PublishedParameters parameters, Tolerance tolerance)
    {
        string[] keys = [.. recorded.Entries.Select(e => e.Name)
            .Where(n => n.StartsWith(Gradient, StringComparison.Ordinal))];
        var largest = keys.Max(k => Comparison.Largest(recorded.ReadDoubles(k)));
        foreach (var key in keys)
        {
            var expected = recorded.ReadDoubles(key);
            var got = Find(run, tape, parameters, key[Gradient.Length..]);
            differences.Add(got is null ? NotComputed(key)
                : Comparison.Compare(key, got, expected, tolerance.ForGradient(expected, largest, type)));
        }
        foreach (var name in parameters.Names.Where(n => !keys.Contains(Gradient + n)))
        {
            if (parameters.HasGradient(name) && Comparison.Largest(parameters.Read(ParameterPart.Gradient, name)) > 0)
                differences.Add(new(name, double.PositiveInfinity, 0, "has a gradient, though none is recorded"));
        }
    }

    private static double[]? Find(ModelRun run, Tape tape, PublishedParameters parameters, string name)
    {
        if (parameters.Contains(name)) return parameters.Read(ParameterPart.Gradient, name);
        return name.StartsWith(InputGradient, StringComparison.Ordinal)
            && run.Watched.TryGetValue(name[InputGradient.Length..], out var input)
            ? tape.Gradient(input)?.ToDoubles()
            : null;
    }

    private static Difference NotComputed(string name) => new(name, double.PositiveInfinity, 0, "is not computed");
}
