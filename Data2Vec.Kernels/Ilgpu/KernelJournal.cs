using Data2Vec.Kernels.Platform;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Names of the kernels that work of a kind has used on devices of a kind, by this build.</summary>
internal sealed class KernelJournal(KernelCache cache, string device)
{
    /// <summary>The names; none when nothing is remembered.</summary>
    public string[] Read(string work) =>
        cache.Read(NameOf(work))?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>
    /// Adds names. Of two processes that add at once one may be lost, which costs the next run some time.
    /// </summary>
    public void Add(string work, IEnumerable<string> kernels)
    {
        var before = Read(work);
        var all = before.Union(kernels).Order(StringComparer.Ordinal).ToArray();
        if (all.Length > before.Length) cache.Write(NameOf(work), string.Join('\n', all));
    }

    private string NameOf(string work) => $"used by {work} on {device}";
}
