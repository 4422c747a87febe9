using System.Text.Json;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Data;
using Data2Vec.Models.Text;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Where a folder brings what prepares its inputs: raw waveforms become the recorded input values and mask, texts the
/// recorded ids.
/// </summary>
internal static class PreparedInputs
{
    public static IEnumerable<Difference> Compare(string folder, JsonElement item, SafetensorsFile recorded) =>
        Waveforms(folder, recorded).Concat(Texts(folder, item, recorded));

    private static IEnumerable<Difference> Waveforms(string folder, SafetensorsFile recorded)
    {
        if (!recorded.Contains("in.raw.0")) yield break;
        var raw = new List<float[]>();
        while (recorded.Contains($"in.raw.{raw.Count}")) raw.Add(recorded.ReadSingles($"in.raw.{raw.Count}"));
        var batch = AudioFeatureExtractor.Extract(raw, AudioPreprocessor.Load(folder).Options);
        // The published extractor computes in float32 (numpy), which is the accuracy that can be asked for.
        yield return Comparison.Compare("in.input_values", [.. batch.Values.SelectMany(v => v).Select(x => (double)x)],
            recorded.ReadDoubles("in.input_values"), new(Tolerance.Single));
        if (!recorded.Contains("in.attention_mask")) yield break;
        yield return Comparison.Compare("in.attention_mask",
            [.. Enumerable.Range(0, raw.Count).SelectMany(batch.Mask).Select(x => (double)x)],
            recorded.ReadDoubles("in.attention_mask"), Tolerance.Exact);
    }

    private static IEnumerable<Difference> Texts(string folder, JsonElement item, SafetensorsFile recorded)
    {
        if (!item.TryGetProperty("texts", out var texts) || texts.ValueKind != JsonValueKind.Array) yield break;
        var tokenizer = ByteLevelBpe.Load(folder);
        int[][] rows = [.. texts.EnumerateArray().Select(
            t => (int[])[tokenizer.BosId, .. tokenizer.TokenizeToIds(t.GetString()!), tokenizer.EosId])];
        var longest = rows.Max(r => r.Length);
        double[] ids = [.. rows.SelectMany(r => r.Concat(Enumerable.Repeat(tokenizer.PadId, longest - r.Length)))
            .Select(id => (double)id)];
        yield return Comparison.Compare(
            "in.clean_ids", ids, recorded.ReadDoubles("in.clean_ids"), Tolerance.Exact);
    }
}
