namespace Data2Vec.Models.Data;

/// <summary>
/// Where the bytes of one sample lie: a whole file, or a stretch of one (a member of a tar shard). Nothing is opened
/// before <see cref="Read()"/>, which may be called from any thread.
/// </summary>
/// <param name="Name">
/// Stable name for people and for the split: the path below the data folder, or shard/member, with forward slashes.
/// </param>
/// <param name="Path">The file to open.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Number of bytes.</param>
public sealed record SampleFile(string Name, string Path, long Offset, long Length)
{
    /// <summary>A whole file.</summary>
    /// <exception cref="IOException">Its length cannot be found.</exception>
    public static SampleFile Whole(string name, string path) => new(name, path, 0, new FileInfo(path).Length);

    /// <summary>The name up to the first dot of its last part: what the members of one sample share.</summary>
    /// <remarks>The naming of webdataset: "a/b.left.png" has the key "a/b" and the extension "left.png".</remarks>
    public string Key => Name[..KeyLength];

    /// <summary>What follows the first dot of the last part of the name, in lower case; "" without a dot.</summary>
    public string Extension => KeyLength == Name.Length ? "" : Name[(KeyLength + 1)..].ToLowerInvariant();

    private int KeyLength
    {
        get
        {
            var last = Name.LastIndexOf('/') + 1;
            var dot = Name.IndexOf('.', last);
            return dot < 0 ? Name.Length : dot;
        }
    }

    /// <summary>All bytes.</summary>
    /// <exception cref="InvalidDataException">The file is shorter than it was, or too long for one array.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public byte[] Read() => Read(0, Length);

    /// <summary>Some of the bytes.</summary>
    /// <param name="from">The first one, counted from the sample's own first.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">They lie beyond the sample.</exception>
    /// <exception cref="InvalidDataException">The file is shorter than it was, or too long for one array.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public byte[] Read(long from, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Length - from);
        using var handle = File.OpenHandle(Path);
        var present = RandomAccess.GetLength(handle);
        if (Offset < 0 || Length < 0 || present - Offset < Length)
            throw new InvalidDataException(
                $"{Path}: {Name} should be {Length} bytes from byte {Offset} on, but the file has {present} bytes.");
        if (count > Array.MaxLength)
            throw new InvalidDataException($"{Path}: {Name} has {count} bytes, more than fit into memory at once.");
        var bytes = new byte[count];
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(handle, bytes.AsSpan(done), Offset + from + done);
            if (read == 0)
                throw new InvalidDataException(
                    $"{Path}: the file ended at byte {Offset + from + done}, within {Name}.");
            done += read;
        }
        return bytes;
    }
}
