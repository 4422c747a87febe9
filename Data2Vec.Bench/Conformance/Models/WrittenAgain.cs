using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>A loaded model written again has the tensors of its file: names, types, shapes and bytes.</summary>
internal static class WrittenAgain
{
    public static IEnumerable<Difference> Compare(PublishedFiles files, PublishedParameters parameters)
    {
        var stream = new MemoryStream();
        PublishedWriter.WriteFile(stream, PublishedWriter.TensorsOf(parameters), SafetensorsType.F32);
        using var written = SafetensorsFile.FromBytes(stream.ToArray(), "written");
        foreach (var name in files.Names.Concat(written.Entries.Select(e => e.Name)).Distinct())
        {
            var what = !written.Contains(name) ? "is not written"
                : !files.Contains(name) ? "is written, though the folder has none"
                : Differing(files, written, name);
            yield return what is null
                ? new("written " + name, 0, 0) : new("written " + name, double.PositiveInfinity, 0, what);
        }
    }

    private static string? Differing(PublishedFiles files, SafetensorsFile written, string name)
    {
        var (ours, theirs) = (written[name], files[name]);
        if (ours.ToString() != theirs.ToString()) return $"is {ours}, not {theirs}";
        var (a, b) = (new byte[ours.ByteCount], new byte[theirs.ByteCount]);
        written.CopyBytes(ours, a);
        files.FileOf(name).CopyBytes(theirs, b);
        return a.AsSpan().SequenceEqual(b) ? null : "has other bytes";
    }
}
