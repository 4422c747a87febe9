using System.Globalization;
using System.Text.Json;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Compares two samples: numbers within 4 standard errors of their difference, entries of vectors within 5, where
/// entries with few events in either sample are pooled with their neighbours. An error of 0 in the recording means that
/// the value is always the same; then only the digits that were written may differ.
/// </summary>
internal static class MaskComparison
{
    private const double ScalarErrors = 4, VectorErrors = 5, FewEvents = 25;

    /// <summary>Values are written with 6 digits at least.</summary>
    private const double Digits = 1e-6;

    public static Difference Scalar(string name, Estimate ours, JsonElement listed) =>
        Compare(name, ours, Read(listed), ScalarErrors);

    /// <summary>Compares vectors whose entries are means over so many trials.</summary>
    /// <param name="name">Of the vector.</param>
    /// <param name="ours">Our sample.</param>
    /// <param name="listed">The recorded one.</param>
    /// <param name="ourTrials">Trials of each of our entries.</param>
    /// <param name="listedTrials">Trials of each recorded entry.</param>
    /// <param name="fixedEntries">An entry that is listed with the error 0 is compared by itself.</param>
    public static IEnumerable<Difference> Vector(
        string name, IReadOnlyList<Estimate> ours, IReadOnlyList<Estimate> listed, double ourTrials,
        double listedTrials, bool fixedEntries = false)
    {
        if (ours.Count != listed.Count)
        {
            yield return new Difference(
                name, double.PositiveInfinity, 0, $"{ours.Count} entries, {listed.Count} listed");
            yield break;
        }
        for (var i = 0; i < ours.Count && fixedEntries; i++)
            if (listed[i].Error == 0) yield return Compare($"{name}[{i}]", ours[i], listed[i], 0);
        foreach (var (first, last) in Pools(ours, listed, ourTrials, listedTrials))
        {
            yield return Compare($"{name}[{(first == last ? $"{first}" : $"{first}..{last}")}]",
                Sum(ours, first, last), Sum(listed, first, last), VectorErrors);
        }
    }

    public static Estimate Read(JsonElement pair) => new(pair[0].GetDouble(), pair[1].GetDouble());

    private static Difference Compare(string name, Estimate ours, Estimate listed, double errors)
    {
        var allowed = listed.Error == 0
            ? Digits * Math.Abs(listed.Value)
            : errors * Math.Sqrt(listed.Error * listed.Error + ours.Error * ours.Error);
        var error = Math.Abs(ours.Value - listed.Value);
        return new Difference(name, error, allowed, error <= allowed ? "" : string.Create(CultureInfo.InvariantCulture,
            $"{ours.Value:g6} +- {ours.Error:g3}, listed {listed.Value:g6} +- {listed.Error:g3}"));
    }

    /// <summary>
    /// Neighbours are joined until both samples have enough events; what is left joins the last pool.
    /// </summary>
    private static List<(int First, int Last)> Pools(
        IReadOnlyList<Estimate> ours, IReadOnlyList<Estimate> listed, double ourTrials, double listedTrials)
    {
        var pools = new List<(int First, int Last)>();
        var (first, a, b) = (0, 0.0, 0.0);
        for (var i = 0; i < ours.Count; i++)
        {
            a += ours[i].Value * ourTrials;
            b += listed[i].Value * listedTrials;
            // What never happens in either sample needs no neighbour.
            var never = first == i && a == 0 && b == 0;
            if (!never && Math.Min(a, b) < FewEvents) continue;
            pools.Add((first, i));
            (first, a, b) = (i + 1, 0, 0);
        }
        if (first == ours.Count) return pools;
        if (pools.Count == 0) pools.Add((0, ours.Count - 1));
        else pools[^1] = (pools[^1].First, ours.Count - 1);
        return pools;
    }

    private static Estimate Sum(IReadOnlyList<Estimate> entries, int first, int last)
    {
        double value = 0, squares = 0;
        for (var i = first; i <= last; i++)
        {
            value += entries[i].Value;
            squares += entries[i].Error * entries[i].Error;
        }
        return new(value, Math.Sqrt(squares));
    }
}
