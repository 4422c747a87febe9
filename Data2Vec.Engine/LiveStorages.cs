using System.Globalization;
using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// All device memory that somebody holds, as a chain through its members: nothing is allocated to keep it, and when the
/// device has no more memory it says who has it.
/// </summary>
internal sealed class LiveStorages
{
    private const int LargestNamed = 8;

    private Storage? newest;

    public void Add(Storage storage)
    {
        storage.Older = newest;
        if (newest is not null) newest.Newer = storage;
        newest = storage;
    }

    public void Remove(Storage storage)
    {
        if (storage.Newer is null) newest = storage.Older;
        else storage.Newer.Older = storage.Older;
        if (storage.Older is not null) storage.Older.Newer = storage.Newer;
        storage.Older = storage.Newer = null;
    }

    /// <summary>"Linear asked for float32 [8, 512]: ...; the largest: 24 of Linear, float32 [8, 512, 3072] (1.2 GB), ...".</summary>
    /// <param name="wanted">What could not be had.</param>
    /// <param name="reason">The backend's words.</param>
    public string Shortage(Storage wanted, string reason)
    {
        var kinds = new Dictionary<string, (int Count, long Bytes)>();
        for (var s = newest; s is not null; s = s.Older)
        {
            var (count, bytes) = kinds.GetValueOrDefault(Describe(s));
            kinds[Describe(s)] = (count + 1, bytes + s.Buffer.Bytes);
        }
        var largest = kinds.OrderByDescending(k => k.Value.Bytes).ThenBy(k => k.Key, StringComparer.Ordinal).Take(LargestNamed)
            .Select(k => string.Create(CultureInfo.InvariantCulture, $"{k.Value.Count} x {k.Key} ({k.Value.Bytes:N0} bytes)"));
        return $"Out of memory for {Describe(wanted)}: {reason}"
            + (newest is null ? "" : $" The largest: {string.Join("; ", largest)}.");
    }

    private static string Describe(Storage s) =>
        $"{Path.GetFileNameWithoutExtension(s.Owner)} {s.DType.Name()} {s.Shape}";
}
