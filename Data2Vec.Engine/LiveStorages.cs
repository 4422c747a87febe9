using System.Globalization;
using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// Whose all the memory is that somebody holds: asked when a device has no more. Places in the list are used again, so that
/// keeping it makes no garbage.
/// </summary>
internal sealed class LiveStorages
{
    private const int LargestNamed = 8;

    private readonly Stack<int> free = new();
    private Entry[] entries = new Entry[64];
    private int used;

    /// <summary>Notes an owner; gives the place for <see cref="Remove"/>.</summary>
    public int Add(string owner, Shape shape, DType type, long bytes)
    {
        if (!free.TryPop(out var place)) place = used++;
        if (place == entries.Length) Array.Resize(ref entries, 2 * place);
        entries[place] = new Entry(owner, shape, type, bytes);
        return place;
    }

    /// <summary>The memory has been given back.</summary>
    public void Remove(int place)
    {
        entries[place] = default;
        free.Push(place);
    }

    /// <summary>
    /// "Out of memory for Linear float32 (8, 512): ... The largest: 24 x Linear float32 (8, 512, 3072) (1,207,959,552 bytes)".
    /// </summary>
    /// <param name="owner">Who asked.</param>
    /// <param name="shape">For what.</param>
    /// <param name="type">Of which type.</param>
    /// <param name="reason">The backend's words.</param>
    public string Shortage(string owner, Shape shape, DType type, string reason)
    {
        var largest = entries.Where(e => e.Owner is not null).GroupBy(e => e.ToString())
            .Select(g => (Name: g.Key, Count: g.Count(), Bytes: g.Sum(e => e.Bytes)))
            .OrderByDescending(g => g.Bytes).ThenBy(g => g.Name, StringComparer.Ordinal).Take(LargestNamed)
            .Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Count} x {g.Name} ({g.Bytes:N0} bytes)")).ToArray();
        return $"Out of memory for {new Entry(owner, shape, type, 0)}: {reason}"
            + (largest.Length == 0 ? "" : $" The largest: {string.Join("; ", largest)}.");
    }

    private readonly record struct Entry(string? Owner, Shape Shape, DType Type, long Bytes)
    {
        public override string ToString() => $"{Path.GetFileNameWithoutExtension(Owner)} {Type.Name()} {Shape}";
    }
}
