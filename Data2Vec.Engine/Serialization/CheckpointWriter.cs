using System.Security.Cryptography;

namespace Data2Vec.Engine.Serialization;

/// <summary>Receives the files of one checkpoint while it is being saved.</summary>
public sealed class CheckpointWriter
{
    private const int BufferBytes = 1 << 16;

    private readonly string folder;
    private readonly Func<Stream, Stream> wrap;
    private readonly List<CheckpointFile> files = [];

    internal CheckpointWriter(string folder, Func<Stream, Stream> wrap)
    {
        this.folder = folder;
        this.wrap = wrap;
    }

    /// <summary>Writes one file and waits until it is on the disk.</summary>
    /// <exception cref="ArgumentException">
    /// The name is taken, or has characters other than ASCII letters, digits, dot, dash and underscore.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written; the save is given up.</exception>
    public void Write(string name, Action<Stream> content)
    {
        if (!CheckpointManifest.IsPlainName(name))
            throw new ArgumentException($"{SafetensorsException.Quote(name)} cannot name a file of a checkpoint; " +
                "expected ASCII letters, digits, dot, dash and underscore.");
        if (files.Exists(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            throw new ArgumentException($"The checkpoint already has a file {name}.");
        files.Add(WriteFile(name, content));
        SaveDelay.Wait();
    }

    internal void WriteManifest()
    {
        var bytes = new CheckpointManifest(CheckpointManifest.CurrentFormat, files).ToBytes();
        WriteFile(CheckpointManifest.FileName, stream => stream.Write(bytes));
        SaveDelay.Wait();
    }

    private CheckpointFile WriteFile(string name, Action<Stream> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = new FileStream(
            Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes);
        var counted = new CountingStream(wrap(file), hash);
        content(counted);
        counted.Flush();
        file.Flush(flushToDisk: true);
        return new CheckpointFile(name, counted.Count, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
