using System.Formats.Tar;

namespace Data2Vec.Models.Data;

/// <summary>Samples in tar files, named as webdataset names them: members with one key belong together.</summary>
/// <remarks>
/// A shard is indexed once, by its headers alone; members are read by their offset when they are asked for. Source of
/// the naming: github.com/webdataset/webdataset, "the WebDataset format".
/// </remarks>
public static class TarShard
{
    /// <summary>The files among the members of a shard, in its order; the names are prefix/member.</summary>
    /// <param name="path">The tar file (ustar, pax or GNU; not compressed).</param>
    /// <param name="prefix">What the members' names begin with: the shard's own name.</param>
    /// <param name="bad">
    /// What to do when the shard is damaged: fail, or note it under the prefix and keep the members before the damage.
    /// </param>
    /// <exception cref="BadSampleException">The shard is damaged and the policy is to fail.</exception>
    public static IReadOnlyList<SampleFile> Members(string path, string prefix, BadSamples bad)
    {
        var members = new List<SampleFile>();
        if (bad.Contains(prefix)) return members;
        try
        {
            using var stream = new TarHeaderGuard(File.OpenRead(path), path);
            using var reader = new TarReader(stream);
            while (reader.GetNextEntry(copyData: false) is { } entry)
            {
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile
                    or TarEntryType.ContiguousFile)) continue;
                var offset = entry.DataOffset < 0 ? stream.Position : entry.DataOffset;
                if (entry.Length < 0 || stream.Length - offset < entry.Length)
                    throw new InvalidDataException(
                        $"{path}: byte {offset}: member {entry.Name} should have {entry.Length} bytes, but the file "
                        + $"has {Math.Max(0, stream.Length - offset)} left.");
                members.Add(new SampleFile($"{prefix}/{CleanName(entry.Name)}", path, offset, entry.Length));
            }
        }
        catch (Exception error) when (IsDamage(error))
        {
            bad.Add(prefix, error is InvalidDataException && error.Message.StartsWith(path, StringComparison.Ordinal)
                ? error
                : new InvalidDataException(
                    $"{path}: the tar file is damaged after {members.Count} files: {error.Message}"));
        }
        return members;
    }

    /// <summary>Groups neighbouring members that share a key, in order.</summary>
    /// <returns>Each key with its members.</returns>
    public static IEnumerable<(string Key, IReadOnlyList<SampleFile> Members)> Samples(
        IEnumerable<SampleFile> members)
    {
        List<SampleFile> group = [];
        foreach (var member in members)
        {
            if (group.Count > 0 && group[0].Key != member.Key)
            {
                yield return (group[0].Key, group);
                group = [];
            }
            group.Add(member);
        }
        if (group.Count > 0) yield return (group[0].Key, group);
    }

    private static bool IsDamage(Exception error) => BadSamples.IsBad(error)
        // What TarReader throws for sizes and numbers that cannot be.
        || error is FormatException or OverflowException or ArgumentException or InvalidOperationException;

    private static string CleanName(string name)
    {
        var clean = name.Replace('\\', '/');
        while (clean.StartsWith("./", StringComparison.Ordinal)) clean = clean[2..];
        return clean.TrimStart('/');
    }
}
