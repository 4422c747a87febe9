using System.Security.Cryptography;

namespace Data2Vec.Engine.Serialization;

/// <summary>A complete checkpoint: a folder whose files have been found equal to their SHA-256.</summary>
public sealed class Checkpoint
{
    private Checkpoint(string folder, IReadOnlyList<CheckpointFile> files)
    {
        Folder = folder;
        Files = files;
    }

    /// <summary>The folder itself, with <c>last</c> already followed.</summary>
    public string Folder { get; }

    /// <summary>The files, in the order in which they were written.</summary>
    public IReadOnlyList<CheckpointFile> Files { get; }

    /// <summary>
    /// Opens a checkpoint and verifies every byte of it. The path may be the folder of one checkpoint, a <c>last</c>,
    /// or a folder of checkpoints that holds a <c>last</c>.
    /// </summary>
    /// <exception cref="CheckpointException">There is none, it is incomplete, or a file of it is damaged.</exception>
    public static Checkpoint Open(string path)
    {
        var folder = CheckpointPointer.Follow(path)
            ?? CheckpointPointer.Follow(System.IO.Path.Combine(path, CheckpointPointer.Name)) ?? path;
        var manifest = CheckpointManifest.Read(folder);
        foreach (var file in manifest.Files) Verify(folder, file);
        return new Checkpoint(folder, manifest.Files);
    }

    /// <summary>True where the checkpoint has a file with this name.</summary>
    public bool Contains(string name) => Files.Any(f => f.Name == name);

    /// <summary>The full path of a file.</summary>
    /// <exception cref="CheckpointException">The checkpoint has no such file.</exception>
    public string PathOf(string name) => Contains(name)
        ? System.IO.Path.Combine(Folder, name)
        : throw new CheckpointException($"The checkpoint {Folder} has no file {name}.");

    private static void Verify(string folder, CheckpointFile file)
    {
        var path = System.IO.Path.Combine(folder, file.Name);
        if (!File.Exists(path)) throw new CheckpointException($"{path} is missing from the checkpoint.");
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        if (stream.Length != file.Bytes)
            throw new CheckpointException(
                $"{path} is damaged: it has {stream.Length} bytes, and {file.Bytes} were written.");
        if (Convert.ToHexStringLower(SHA256.HashData(stream)) != file.Sha256)
            throw new CheckpointException($"{path} is damaged: its SHA-256 is not the one that was written.");
    }
}
