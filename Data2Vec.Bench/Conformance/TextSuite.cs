using System.Text.Json;
using Data2Vec.Models.Text;

namespace Data2Vec.Bench.Conformance;

/// <summary>One case of a conformance suite.</summary>
/// <param name="Name">Kind and number or name of the case.</param>
/// <param name="Passed">True or false; null when the case is out of scope.</param>
/// <param name="Message">What differs, or why the case was left out; empty when it passed.</param>
public sealed record ConformanceCase(string Name, bool? Passed, string Message);

/// <summary>Runs a <c>text</c> fixture folder against the tokenizer and the BPE trainer; everything is exact.</summary>
public static class TextConformance
{
    /// <summary>Runs every case that the folder's <c>manifest.json</c> lists.</summary>
    /// <exception cref="InvalidDataException">The folder is not laid out as a text suite.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static IReadOnlyList<ConformanceCase> Run(string suiteFolder)
    {
        using var manifest = Read(Path.Combine(suiteFolder, "manifest.json"));
        if (!manifest.RootElement.TryGetProperty("cases", out var groups))
            throw new InvalidDataException($"{suiteFolder}/manifest.json: expected a list named \"cases\".");
        var tokenizer = ByteLevelBpe.Load(Path.Combine(suiteFolder, "tokenizer"));
        var results = new List<ConformanceCase>();
        foreach (var group in groups.EnumerateArray())
        {
            var name = group.GetProperty("name").GetString()!;
            var path = Path.Combine(suiteFolder, group.GetProperty("file").GetString()!);
            Func<JsonElement, string>? check = name switch
            {
                "encode" => c => TextChecks.Encoding(tokenizer, c),
                "pairs" => c => TextChecks.Pairs(tokenizer, c),
                "decode" => c => TextChecks.Decoding(tokenizer, c),
                "training" => c => TextChecks.Training(suiteFolder, c),
                _ => null,
            };
            if (check is null) results.Add(new(name, null, OutOfScope(name)));
            else RunGroup(name, path, group.GetProperty("count").GetInt32(), check, results);
        }
        return results;
    }

    private static void RunGroup(
        string name, string path, int count, Func<JsonElement, string> check, List<ConformanceCase> results)
    {
        using var cases = Read(path);
        var number = 0;
        foreach (var item in cases.RootElement.EnumerateArray())
        {
            var label = item.TryGetProperty("name", out var given) ? given.GetString() : number.ToString();
            var message = Guarded(check, item);
            results.Add(new($"{name}/{label}", message.Length == 0, message));
            number++;
        }
        if (number != count)
            results.Add(new($"{name}/count", false, $"the manifest lists {count} cases, {path} holds {number}"));
    }

    // A case that throws is a failed case; the others still run.
    private static string Guarded(Func<JsonElement, string> check, JsonElement item)
    {
        try
        {
            return check(item);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return $"{error.GetType().Name}: {error.Message}";
        }
    }

    private static string OutOfScope(string name) => name == "glue"
        ? "GLUE files belong to fine-tuning, which is not built yet"
        : $"the kind of case \"{name}\" is unknown";

    private static JsonDocument Read(string path) => JsonDocument.Parse(File.ReadAllBytes(path));
}
