using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Data2Vec.Models.Data;

/// <summary>How a corpus of audio files is opened.</summary>
public sealed record AudioFolderOptions
{
    /// <summary>About one utterance (or speaker, where speakers are known) in so many is held out; 0 = none.</summary>
    public int HeldOutOneIn { get; init; } = 20;

    /// <summary>Shorter utterances are left out; samples at 16 kHz.</summary>
    public int FewestSamples { get; init; } = 400;
}

/// <summary>
/// Opens audio files, folders of them (searched through; LibriSpeech's layout is known) and tar shards. Only the ends
/// of the files are read; their sound comes when an utterance is asked for.
/// </summary>
/// <remarks>
/// Transcripts come from <c>*.trans.txt</c> files beside the utterances (lines "id TEXT", as in LibriSpeech) and from
/// members <c>key.txt</c> of shards. An utterance named 84-121123-0000 is by speaker 84; a speaker is held out whole.
/// </remarks>
public static class AudioFolders
{
    private const int End = 4096;

    /// <summary>Opens a corpus.</summary>
    /// <param name="paths">Audio files, folders and tar files.</param>
    /// <param name="bad">What to do with files whose head is damaged.</param>
    /// <param name="options">Split and least length; null = the defaults.</param>
    /// <exception cref="FileNotFoundException">A path does not exist.</exception>
    /// <exception cref="BadSampleException">A file is damaged and the policy is to fail.</exception>
    /// <exception cref="InvalidDataException">There is no utterance that can be used.</exception>
    public static AudioCorpus Load(IReadOnlyList<string> paths, BadSamples bad, AudioFolderOptions? options = null)
    {
        options ??= new AudioFolderOptions();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var finder = new AudioFinder(bad);
        var (samples, leftOut, names) = (new List<AudioSample>(), new List<BadSample>(), new HashSet<string>());
        foreach (var found in paths.SelectMany(finder.Find)
            .DistinctBy(f => (Path.GetFullPath(f.File.Path), f.File.Offset)))
        {
            var file = Unique(found.File, names);
            if (bad.Contains(file.Name)) continue;
            try
            {
                var head = file.Read(0, Math.Min(End, file.Length));
                var header = AudioFile.ReadHeader(file, head);
                var heldOut = IsHeldOut(found.Speaker ?? found.Utterance, options.HeldOutOneIn);
                var sample = AudioSample.InFile(file, header, heldOut, found.Transcript?.Invoke(), found.Speaker);
                if (sample.Length < options.FewestSamples)
                {
                    leftOut.Add(new BadSample(
                        file.Name, $"{sample.Length} samples at 16 kHz are fewer than {options.FewestSamples}"));
                    continue;
                }
                samples.Add(sample);
                Append(hash, sample, file, head);
            }
            catch (Exception error) when (BadSamples.IsBad(error))
            {
                bad.Add(file.Name, error);
            }
        }
        if (samples.Count == 0)
            throw new InvalidDataException(
                $"{string.Join(", ", paths)}: there is no FLAC or WAV file that can be used ({bad.Count} are bad, "
                + $"{leftOut.Count} too short).");
        return new AudioCorpus(string.Join(", ", paths), samples, Convert.ToHexStringLower(hash.GetHashAndReset()),
            "names, split, transcripts, lengths, and the first and last 4096 bytes of every file")
        {
            LeftOut = [.. leftOut, .. bad.List],
        };
    }

    /// <summary>True for about one name in so many, by a hash of the name alone.</summary>
    internal static bool IsHeldOut(string name, int oneIn) => oneIn > 0 && StableHash.Of(name) % (ulong)oneIn == 0;

    /// <summary>Two folders may hold files of one name; the second is then called by its path.</summary>
    private static SampleFile Unique(SampleFile file, HashSet<string> names)
    {
        if (names.Add(file.Name)) return file;
        var renamed = file with { Name = $"{file.Path}:{file.Name}" };
        names.Add(renamed.Name);
        return renamed;
    }

    // The head of a FLAC file holds the MD5 of all its samples.
    private static void Append(IncrementalHash hash, AudioSample sample, SampleFile file, byte[] head)
    {
        Span<byte> numbers = stackalloc byte[17];
        var text = Encoding.UTF8.GetBytes($"{sample.Name}\0{sample.Transcript}\0");
        BinaryPrimitives.WriteInt64LittleEndian(numbers, text.Length);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], file.Length);
        numbers[16] = sample.HeldOut ? (byte)1 : (byte)0;
        hash.AppendData(numbers);
        hash.AppendData(text);
        hash.AppendData(head);
        var tail = Math.Min(End, file.Length - head.Length);
        hash.AppendData(file.Read(file.Length - tail, tail));
    }
}
