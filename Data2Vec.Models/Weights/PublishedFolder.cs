using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;

namespace Data2Vec.Models.Weights;

/// <summary>Published folders on disk.</summary>
public static class PublishedFolder
{
    /// <summary>Configuration of the model.</summary>
    public const string ConfigName = "config.json";

    /// <summary>Files beside configuration and weights that belong to a model: preprocessing and tokenizers.</summary>
    public static IReadOnlyList<string> SideFiles { get; } =
    [
        "preprocessor_config.json", "vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "generation_config.json", "README.md", "LICENSE",
    ];

    /// <summary>
    /// The published folder that a path means: itself, or the last checkpoint of a run or of a folder of checkpoints
    /// (which is verified first).
    /// </summary>
    /// <exception cref="InvalidDataException">There is no model.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged.</exception>
    public static string Find(string path)
    {
        foreach (var candidate in new[] { path, Path.Combine(path, "checkpoints") })
        {
            if (File.Exists(Path.Combine(candidate, ConfigName))) return candidate;
            var last = Path.Combine(candidate, "last");
            if (Directory.Exists(last) || File.Exists(last)) return Checkpoint.Open(last).Folder;
        }
        throw new InvalidDataException($"{path} holds no model: expected a run folder, a checkpoint, or a folder with "
            + $"{ConfigName} and {PublishedFiles.SingleName}.");
    }

    /// <summary>Declares, builds and loads the model of a folder on an empty store.</summary>
    /// <param name="folder">A published folder.</param>
    /// <param name="store">An empty store; it stays the caller's.</param>
    /// <param name="class">The class to load into; null = the folder's own.</param>
    /// <param name="head">What to do about the head of the files.</param>
    /// <param name="seed">For the first values of a new head.</param>
    /// <exception cref="InvalidDataException">The folder breaks a rule; file, tensor or field is named.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static PublishedModel Load(
        string folder, ParameterStore store, string? @class = null, StoredHead head = StoredHead.Required,
        ulong seed = 0)
    {
        var config = PublishedConfig.Read(Path.Combine(folder, ConfigName));
        using var files = PublishedFiles.Open(folder);
        var model = PublishedClasses.Declare(@class ?? config.Class, config, store, files);
        // Before memory is taken: a configuration may promise any size, files hold what they hold.
        PublishedReader.Match(files, model.Parameters, head);
        store.Build(seed, initialise: head != StoredHead.Required);
        PublishedReader.Read(files, model.Parameters, head);
        return model;
    }

    /// <summary>
    /// Writes a folder, whole or not at all: it appears under its name when everything in it is on the disk.
    /// </summary>
    /// <param name="folder">Must not exist, or be empty.</param>
    /// <param name="config">Its fields architectures and dtype are those of what is written.</param>
    /// <param name="tensors">Under stored names.</param>
    /// <param name="layout">Type and shards.</param>
    /// <param name="sideFilesFrom">A folder whose preprocessing and tokenizer files are copied; null = none.</param>
    /// <exception cref="IOException">The folder is not empty, or cannot be written.</exception>
    /// <exception cref="InvalidDataException">A value has no place in the type.</exception>
    public static void Save(
        string folder, PublishedConfig config, IEnumerable<TensorToWrite> tensors, WeightLayout layout,
        string? sideFilesFrom = null)
    {
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
            throw new IOException($"{folder} is there already and not empty: nothing is overwritten.");
        var parent = Path.GetDirectoryName(target) ?? throw new IOException($"{folder} has no place to be made in.");
        Directory.CreateDirectory(parent);
        var saving = Path.Combine(parent, $".saving-{Path.GetFileName(target)}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(saving);
        try
        {
            PublishedWriter.WriteFolder(saving, tensors, layout);
            var written = config.With("torch_dtype", null).With("dtype", layout.TypeName);
            File.WriteAllBytes(Path.Combine(saving, ConfigName), written.ToBytes());
            foreach (var name in sideFilesFrom is null ? [] : SideFiles)
            {
                var source = Path.Combine(sideFilesFrom!, name);
                if (File.Exists(source)) File.Copy(source, Path.Combine(saving, name));
            }
            if (Directory.Exists(target)) Directory.Delete(target);
            Directory.Move(saving, target);
        }
        catch
        {
            Directory.Delete(saving, recursive: true);
            throw;
        }
    }
}
