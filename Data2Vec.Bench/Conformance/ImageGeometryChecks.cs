using System.Text.Json;
using Data2Vec.Models.Data;

namespace Data2Vec.Bench.Conformance;

/// <summary>Crop boxes of the image suite: random ones from recorded draws, and those of evaluation.</summary>
internal static class ImageGeometryChecks
{
    public static void Run(string folder, SuiteReport report)
    {
        Table(folder, "random_resized_crop", report, RandomCrop);
        Table(folder, "eval_geometry", report, Evaluation);
    }

    private static void Table(
        string folder, string name, SuiteReport report, Func<JsonElement, IEnumerable<Difference>> check)
    {
        var path = Path.Combine(folder, name + ".json");
        if (!File.Exists(path)) return;
        using var table = JsonDocument.Parse(File.ReadAllBytes(path));
        var number = 0;
        foreach (var item in table.RootElement.EnumerateArray()) report.Run(name, $"{number++:000}", () => check(item));
    }

    /// <summary>
    /// Every recorded attempt but the last must be refused, the last give the recorded size (unless all ten failed).
    /// The corner is a draw of the recording; it must be one that ours can draw.
    /// </summary>
    private static IEnumerable<Difference> RandomCrop(JsonElement item)
    {
        var crop = new RandomResizedCrop(
            item.GetProperty("scale")[0].GetDouble(), item.GetProperty("scale")[1].GetDouble(),
            item.GetProperty("ratio")[0].GetDouble(), item.GetProperty("ratio")[1].GetDouble());
        var (width, height) = (Int(item, "width"), Int(item, "height"));
        var attempts = item.GetProperty("attempts").EnumerateArray()
            .Select(a => RandomResizedCrop.Size(width, height, a[0].GetDouble(), (float)a[1].GetDouble())).ToArray();
        var expected = (Int(item, "crop_width"), Int(item, "crop_height"));
        if (item.GetProperty("fallback").GetBoolean())
        {
            yield return Equal("attempts refused", attempts.Count(a => a is null), attempts.Length);
            var box = crop.Fallback(width, height);
            yield return Equal("box", (box.Left, box.Top, box.Width, box.Height),
                (Int(item, "left"), Int(item, "top"), expected.Item1, expected.Item2));
            yield break;
        }
        yield return Equal("attempts refused", attempts.Count(a => a is null), attempts.Length - 1);
        yield return Equal("size", attempts[^1] ?? default, expected);
        yield return Equal("corner inside", Int(item, "left") <= width - expected.Item1
            && Int(item, "top") <= height - expected.Item2, true);
    }

    private static IEnumerable<Difference> Evaluation(JsonElement item)
    {
        var crop = Int(item, "crop");
        var (width, height) = CentreCrop.Resized(Int(item, "width"), Int(item, "height"), Int(item, "resize"));
        yield return Equal("resized", (width, height), (Int(item, "resized_width"), Int(item, "resized_height")));
        yield return Equal("corner", (CentreCrop.Corner(width, crop), CentreCrop.Corner(height, crop)),
            (Int(item, "left"), Int(item, "top")));
    }

    private static int Int(JsonElement item, string name) => item.GetProperty(name).GetInt32();

    private static Difference Equal<T>(string name, T got, T expected) =>
        EqualityComparer<T>.Default.Equals(got, expected)
            ? new Difference(name, 0, 0)
            : new Difference(name, double.PositiveInfinity, 0, $"{got}, expected {expected}");
}
