using System.Text.Json;
using System.Text.Json.Serialization;

namespace Data2Vec.Engine.Serialization;

/// <summary>One file of a checkpoint.</summary>
/// <param name="Name">Plain file name.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">SHA-256 of the content, 64 lower-case hexadecimal digits.</param>
public sealed record CheckpointFile(string Name, long Bytes, string Sha256);

/// <summary>The list of files that is written last: a folder with a manifest is complete.</summary>
internal sealed record CheckpointManifest(int Format, IReadOnlyList<CheckpointFile> Files)
{
    public const string FileName = "manifest.json";
    public const int CurrentFormat = 1;

    /// <summary>Far above any real list of files; a larger one is not read into memory.</summary>
    private const int MostBytes = 1 << 20;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.Strict,
        WriteIndented = true,
        NewLine = "\n",
    };

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <exception cref="CheckpointException">The manifest is missing or damaged.</exception>
    public static CheckpointManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        CheckpointManifest? manifest;
        try
        {
            if (!Directory.Exists(folder)) throw new CheckpointException($"There is no checkpoint folder {folder}.");
            if (!File.Exists(path))
                throw new CheckpointException($"{folder} is no complete checkpoint: it has no {FileName}.");
            if (new FileInfo(path).Length > MostBytes) throw Damaged(path, $"it is longer than {MostBytes} bytes");
            manifest = JsonSerializer.Deserialize<CheckpointManifest>(File.ReadAllBytes(path), Json);
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{path} is damaged: it is not the list of files that was written.", e);
        }
        if (manifest is null) throw Damaged(path, "it is empty");
        if (manifest.Format != CurrentFormat)
            throw Damaged(path, $"it has format {manifest.Format}, and {CurrentFormat} is expected");
        foreach (var file in manifest.Files)
        {
            // The JSON reader lets a null stand in a list.
            if (file is null) throw Damaged(path, "it has an empty entry");
            if (!IsPlainName(file.Name))
                throw Damaged(path, $"it names {SafetensorsException.Quote(file.Name)}, which is no plain file name");
        }
        return manifest;
    }

    /// <summary>A name that stays inside its folder on every system.</summary>
    public static bool IsPlainName(string name) =>
        name.Length is > 0 and < 200 && name != FileName && name[0] != '.' &&
        name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    private static CheckpointException Damaged(string path, string why) => new($"{path} is damaged: {why}.");
}
