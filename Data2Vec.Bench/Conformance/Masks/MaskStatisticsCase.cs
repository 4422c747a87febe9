using System.Globalization;
using System.Text.Json;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// One recorded distribution of masks: as many batches as were recorded are drawn with the case's seed, the hard rules
/// are checked on each, and every listed number is compared.
/// </summary>
internal static class MaskStatisticsCase
{
    private const int LongestRun = 64;

    public static IEnumerable<Difference> Run(JsonElement item, SafetensorsFile positions, SafetensorsFile examples)
    {
        var config = item.GetProperty("config");
        var name = config.GetProperty("name").GetString()!;
        var source = new MaskSource(config);
        foreach (var broken in MaskRules.BrokenByExamples(source, examples, name))
            yield return Broken("example", broken);

        var longest = MaskKeywords.Int(config, "run_cap", LongestRun);
        var ours = new MaskStatistics(source.Rows, source.Height, source.Width, longest);
        var seed = (ulong)MaskKeywords.Int(config, "seed");
        for (var batch = 0; batch < MaskKeywords.Int(config, "batches"); batch++)
        {
            var mask = source.Draw(new PhiloxStream(new RandomKey(seed, (uint)batch, 0, 0)));
            if (MaskRules.Broken(source, mask) is { } broken) yield return Broken($"batch {batch}", broken);
            ours.Add(mask);
        }
        var listed = item.GetProperty("statistics");
        foreach (var difference in Counts(ours, source, listed)) yield return difference;
        foreach (var difference in Shares(ours, source, listed)) yield return difference;
        foreach (var difference in Vectors(ours, listed, longest)) yield return difference;
        foreach (var difference in Places(ours, source, positions, name, MaskKeywords.Int(listed, "batches")))
            yield return difference;
    }

    /// <summary>Mean, deviation and percentiles of the masked count.</summary>
    private static IEnumerable<Difference> Counts(MaskStatistics ours, MaskSource source, JsonElement listed)
    {
        int[] counts = [.. ours.Counts];
        var all = counts.Average();
        var (mean, fraction, variance) = (new Moments(1), new Moments(1), new Moments(1));
        foreach (var batch in counts.Chunk(source.Rows))
        {
            mean.Add(batch.Average());
            fraction.Add(batch.Average() / (source.Height * source.Width));
            variance.Add(batch.Average(c => (c - all) * (c - all)));
        }
        yield return MaskComparison.Scalar("mean", mean[0], listed.GetProperty("mean"));
        yield return MaskComparison.Scalar("fraction_mean", fraction[0], listed.GetProperty("fraction_mean"));
        var deviation = Math.Sqrt(variance[0].Value);
        yield return MaskComparison.Scalar("sd",
            new(deviation, deviation > 0 ? variance[0].Error / (2 * deviation) : 0), listed.GetProperty("sd"));
        if (listed.TryGetProperty("rows_by_length", out var rows))
        {
            foreach (var row in rows.EnumerateArray())
            {
                var (count, r) = (new Moments(1), MaskKeywords.Int(row, "row"));
                for (var i = r; i < counts.Length; i += source.Rows) count.Add(counts[i]);
                yield return MaskComparison.Scalar($"row {r} count", count[0], row.GetProperty("count"));
            }
        }
        Array.Sort(counts);
        foreach (var percentile in listed.GetProperty("percentiles_value_low_high").EnumerateObject())
        {
            var part = double.Parse(percentile.Name, CultureInfo.InvariantCulture) / 100;
            var value = counts[Math.Clamp((int)Math.Floor(part * (counts.Length - 1)), 0, counts.Length - 1)];
            var (low, high) = (percentile.Value[1].GetInt32(), percentile.Value[2].GetInt32());
            var what = value >= low && value <= high ? "" : $"{value}, expected {low} to {high}";
            yield return new Difference($"percentile {percentile.Name}",
                what.Length == 0 ? 0 : double.PositiveInfinity, 0, what);
        }
    }

    private static IEnumerable<Difference> Shares(MaskStatistics ours, MaskSource source, JsonElement listed)
    {
        var (exact, equal) = (new Moments(1), new Moments(1));
        foreach (var batch in ours.Counts.Chunk(source.Rows))
        {
            exact.Add((double)batch.Count(c => c == source.Target) / source.Rows);
            equal.Add(batch.All(c => c == batch[0]) ? 1 : 0);
        }
        (string, Moments)[] shares =
        [
            ("share_exact_target", exact), ("share_batches_with_equal_counts", equal),
            ("became_mask_id_share_of_selected", source.Became.Mask),
            ("stayed_share_of_selected", source.Became.Stayed), ("became_other_share_of_selected", source.Became.Other),
        ];
        foreach (var (name, share) in shares)
            if (listed.TryGetProperty(name, out var pair)) yield return MaskComparison.Scalar(name, share[0], pair);
    }

    /// <summary>How often each count and each length of a run occurs.</summary>
    private static IEnumerable<Difference> Vectors(MaskStatistics ours, JsonElement listed, int longest)
    {
        var histogram = Entries(listed.GetProperty("histogram_share"));
        var keys = histogram.Keys.Union(ours.Counts).Order().ToArray();
        var shares = new Moments(keys.Length);
        foreach (var batch in ours.Counts.Chunk(ours.Rows))
            shares.Add([.. keys.Select(k => (double)batch.Count(c => c == k) / ours.Rows)]);
        var listedBatches = MaskKeywords.Int(listed, "batches");
        var differences = MaskComparison.Vector("histogram_share", All(shares),
            [.. keys.Select(k => histogram.GetValueOrDefault(k))], ours.Batches, listedBatches);
        foreach (var difference in differences) yield return difference;
        foreach (var (name, runs) in ours.Runs)
        {
            var lengths = Entries(listed.GetProperty(name + "_runs_per_line"));
            var lines = name.StartsWith("vertical", StringComparison.Ordinal) ? ours.Width : ours.Height;
            differences = MaskComparison.Vector(name + "_runs_per_line", All(runs),
                [.. Enumerable.Range(1, longest).Select(l => lengths.GetValueOrDefault(l))],
                (double)ours.Batches * ours.Rows * lines, (double)listedBatches * ours.Rows * lines);
            foreach (var difference in differences) yield return difference;
        }
    }

    /// <summary>Probability of every position.</summary>
    private static IEnumerable<Difference> Places(
        MaskStatistics ours, MaskSource source, SafetensorsFile file, string name, int listedBatches)
    {
        IEnumerable<Difference> Compare(string prefix, Moments moments, int rows)
        {
            var (probability, error) = (file.ReadDoubles(prefix + ".probability"),
                file.ReadDoubles(prefix + ".standard_error"));
            return MaskComparison.Vector(prefix + ".probability", All(moments),
                [.. probability.Zip(error, (p, e) => new Estimate(p, e))], (double)ours.Batches * rows,
                (double)listedBatches * rows, fixedEntries: true);
        }
        if (source.Lengths is null) return Compare(name, ours.Positions, source.Rows);
        return Enumerable.Range(0, source.Rows)
            .SelectMany(r => Compare($"{name}.row{r}", ours.PositionsOfRow[r], 1));
    }

    private static Dictionary<int, Estimate> Entries(JsonElement listed) => listed.EnumerateObject()
        .ToDictionary(e => int.Parse(e.Name, CultureInfo.InvariantCulture), e => MaskComparison.Read(e.Value));

    private static Estimate[] All(Moments moments) =>
        [.. Enumerable.Range(0, moments.Length).Select(i => moments[i])];

    private static Difference Broken(string where, string what) =>
        new(where, double.PositiveInfinity, 0, what);
}
