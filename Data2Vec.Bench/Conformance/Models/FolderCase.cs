using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// A variant of a folder: shards, half precision, old files, other heads, and broken ones to be refused by name.
/// </summary>
internal sealed class FolderCase(string suite, JsonElement item, double measured, Device device, DType type)
{
    public List<Difference> Compare()
    {
        var expected = item.GetProperty("expected");
        return expected.ValueKind == JsonValueKind.Null ? Refused() : Outputs(expected.GetString()!);
    }

    private List<Difference> Outputs(string expected)
    {
        var source = Path.Combine(suite, item.GetProperty("from").GetString()!, "expected.safetensors");
        using var inputs = SafetensorsFile.Open(source);
        using var recorded = SafetensorsFile.Open(Path.Combine(suite, expected));
        using var store = new ParameterStore(device, type);
        using var files = PublishedFiles.Open(Folder);
        var (model, report) = Load(files, store);
        using var scope = device.Scope();
        using var view = store.Student();
        var run = ModelRun.Of(model, view, ModelInputs.Read(inputs), null);
        List<Difference> differences = [.. ModelCase.Outputs(run, recorded, ModelCase.Of(measured, type))];
        differences.Add(Names("ignored", report.Ignored, ExpectedIgnored()));
        return differences;
    }

    /// <summary>Loading must fail with a sentence that names the keys.</summary>
    private List<Difference> Refused()
    {
        using var store = new ParameterStore(device, type);
        try
        {
            using var files = PublishedFiles.Open(Folder);
            Load(files, store);
        }
        catch (IOException e)
        {
            return [Named(e.Message)];
        }
        catch (InvalidDataException e)
        {
            return [Named(e.Message)];
        }
        return [new("refusal", double.PositiveInfinity, 0, "the folder was accepted")];
    }

    private string Folder => Path.Combine(suite, item.GetProperty("folder").GetString()!);

    private (Data2Vec.Models.PublishedModel Model, LoadReport Report) Load(PublishedFiles files, ParameterStore store)
    {
        var config = PublishedConfig.Read(Path.Combine(Folder, "config.json"));
        var model = PublishedClasses.Declare(item.GetProperty("load_class").GetString()!, config, store, files);
        store.Build(1);
        var newHead = item.GetProperty("op").GetString() == "load_as" && Published("missing_keys").Count > 0;
        return (model, PublishedReader.Read(
            files, model.Parameters, newHead ? StoredHead.IfPresent : StoredHead.Required));
    }

    private Difference Named(string message)
    {
        List<string> names = item.TryGetProperty("names", out var list)
            ? [.. list.EnumerateArray().Select(n => n.GetString()!)] : [];
        var unnamed = names.FirstOrDefault(n => !message.Contains(n, StringComparison.Ordinal));
        return unnamed is null ? new("refusal", 0, 0)
            : new("refusal", double.PositiveInfinity, 0, $"{unnamed} is not named by: {message}");
    }

    /// <summary>What the case says, and what the published library called unexpected without failing.</summary>
    private List<string> ExpectedIgnored() => item.TryGetProperty("ignored_keys", out var keys)
        ? [.. keys.EnumerateArray().Select(k => k.GetString()!)] : Published("unexpected_keys");

    private List<string> Published(string kind) =>
        [.. item.GetProperty("published").GetProperty(kind).EnumerateArray().Select(k => k.GetString()!)];

    private static Difference Names(string what, IEnumerable<string> got, IEnumerable<string> expected)
    {
        var (a, b) = (string.Join(", ", got.Order()), string.Join(", ", expected.Order()));
        return a == b ? new(what, 0, 0) : new(what, double.PositiveInfinity, 0, $"[{a}], expected [{b}]");
    }
}
