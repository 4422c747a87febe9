using System.Text.Json;
using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Names and shapes of every published model, base and large, against those that we would write: models are declared,
/// not allocated.
/// </summary>
internal static class PublishedLayout
{
    public static void Run(string path, SuiteReport report)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        foreach (var item in document.RootElement.EnumerateObject())
        {
            var value = item.Value.Clone();
            if (PublishedClasses.Names.Contains(value.GetProperty("class").GetString()!))
                report.Run("layout", item.Name, () => Compare(value));
            else report.Skip("layout", item.Name, "not in this version");
        }
    }

    private static List<Difference> Compare(JsonElement item)
    {
        var kind = item.GetProperty("class").GetString()!;
        var fields = JsonObject.Create(item.GetProperty("config"))!;
        fields["model_type"] = PublishedFamily.OfClass(kind).ModelType;
        fields["num_labels"] = item.GetProperty("num_labels").GetInt32();
        using var device = new Device("reference", new ReferenceBackend());
        using var store = new ParameterStore(device);
        var parameters = PublishedClasses.Declare(kind, PublishedConfig.Of(fields), store).Parameters;
        var ours = PublishedWriter.TensorsOf(parameters).ToDictionary(t => t.Name, t => t.Shape.ToString());
        var theirs = item.GetProperty("tensors").EnumerateObject().ToDictionary(t => t.Name,
            t => new Shape([.. t.Value.EnumerateArray().Select(d => d.GetInt32())]).ToString());
        List<Difference> differences = [.. ours.Keys.Union(theirs.Keys).Select(
            name => Of(name, ours.GetValueOrDefault(name), theirs.GetValueOrDefault(name)))];
        differences.Add(Comparison.Compare("scalars", store.Count, item.GetProperty("parameters").GetDouble(),
            Tolerance.Exact));
        var written = new WeightLayout().Type.Name();
        differences.Add(Of("dtype", written, item.GetProperty("dtype").GetString()));
        return differences;
    }

    private static Difference Of(string name, string? got, string? expected) => got == expected
        ? new(name, 0, 0)
        : new(name, double.PositiveInfinity, 0, $"{got ?? "missing"}, expected {expected ?? "none"}");
}
