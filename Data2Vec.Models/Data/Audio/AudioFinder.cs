using Data2Vec.Models.Text;

namespace Data2Vec.Models.Data;

/// <summary>An utterance before its file is opened.</summary>
/// <param name="File">Where it lies.</param>
/// <param name="Utterance">Its name without shard and extension, which the split goes by.</param>
/// <param name="Transcript">Gives what is said; null when nothing says it.</param>
internal sealed record FoundAudio(SampleFile File, string Utterance, Func<string>? Transcript)
{
    /// <summary>
    /// "dir/84-121123-0000" is by speaker 84, as LibriSpeech names utterances; anybody else is unknown.
    /// </summary>
    public string? Speaker
    {
        get
        {
            var parts = Utterance[(Utterance.LastIndexOf('/') + 1)..].Split('-');
            return parts.Length == 3 && parts.All(p => p.Length > 0 && p.All(char.IsAsciiDigit)) ? parts[0] : null;
        }
    }
}

/// <summary>Finds audio files, those in folders, and those in tar shards, with their transcripts.</summary>
internal sealed class AudioFinder(BadSamples bad)
{
    private const int MostDepth = 32;
    private const string TranscriptEnd = ".trans.txt";

    /// <summary>What lies at a path, in an order that does not depend on the file system.</summary>
    /// <exception cref="FileNotFoundException">Nothing does.</exception>
    public IEnumerable<FoundAudio> Find(string path)
    {
        if (File.Exists(path)) return Open(path, Path.GetFileName(path), new Dictionary<string, string>());
        if (!Directory.Exists(path))
            throw new FileNotFoundException(
                $"{path}: no such file or folder; audio data are WAV, FLAC or tar files, or folders of them.");
        // The depth ends loops of links.
        var search = new EnumerationOptions
        {
            RecurseSubdirectories = true, MaxRecursionDepth = MostDepth, IgnoreInaccessible = false,
        };
        return Directory.EnumerateFiles(path, "*", search)
            .Select(f => (Path: f, Name: Path.GetRelativePath(path, f).Replace('\\', '/')))
            .OrderBy(f => f.Name, StringComparer.Ordinal)
            .GroupBy(f => Path.GetDirectoryName(f.Path)!)
            .SelectMany(OpenFolder);
    }

    private IEnumerable<FoundAudio> OpenFolder(IEnumerable<(string Path, string Name)> files)
    {
        var all = files.ToArray();
        var transcripts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (path, name) in all.Where(f => f.Name.EndsWith(TranscriptEnd, StringComparison.Ordinal)))
            Guarded(name, () => ReadTranscripts(path, transcripts));
        return all.SelectMany(f => Open(f.Path, f.Name, transcripts));
    }

    private IEnumerable<FoundAudio> Open(string path, string name, IReadOnlyDictionary<string, string> transcripts)
    {
        if (path.EndsWith(".tar", StringComparison.OrdinalIgnoreCase))
        {
            foreach (var (key, members) in TarShard.Samples(TarShard.Members(path, name, bad)))
            {
                var text = members.FirstOrDefault(m => m.Extension == "txt");
                Func<string>? transcript = text is null ? null : () => Utf8Text.Decode(text.Read(), text.Name).Trim();
                foreach (var member in members.Where(m => IsAudio(m.Name)))
                    yield return new FoundAudio(member, key[(name.Length + 1)..], transcript);
            }
        }
        else if (IsAudio(name))
        {
            // A link may lead nowhere.
            SampleFile? file = null;
            Guarded(name, () => file = SampleFile.Whole(name, path));
            Func<string>? transcript =
                transcripts.TryGetValue(Path.GetFileNameWithoutExtension(name), out var text) ? () => text : null;
            if (file is not null) yield return new FoundAudio(file, Path.ChangeExtension(name, null), transcript);
        }
    }

    // The last extension decides: utterances may have dots in their names.
    private static bool IsAudio(string name) =>
        AudioFile.Extensions.Any(e => name.EndsWith("." + e, StringComparison.OrdinalIgnoreCase));

    /// <summary>Lines "id TEXT".</summary>
    private static void ReadTranscripts(string path, Dictionary<string, string> transcripts)
    {
        foreach (var line in Utf8Text.Read(path).Split('\n', StringSplitOptions.TrimEntries))
            if (line.IndexOf(' ') is var space and > 0) transcripts[line[..space]] = line[(space + 1)..].Trim();
    }

    private void Guarded(string name, Action action)
    {
        if (bad.Contains(name)) return;
        try
        {
            action();
        }
        catch (Exception error) when (BadSamples.IsBad(error))
        {
            bad.Add(name, error);
        }
    }
}
