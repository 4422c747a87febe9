using System.Text;

namespace Data2Vec.Models.Data;

/// <summary>Reads audio files: WAV and FLAC, told apart by their content.</summary>
public static class AudioFile
{
    /// <summary>Endings of the files that are looked for in folders and shards.</summary>
    public static IReadOnlyList<string> Extensions { get; } = ["flac", "wav"];

    /// <summary>Reads a file and mixes its channels to one (their arithmetic mean).</summary>
    /// <param name="path">A WAV or FLAC file; what its name ends in does not matter.</param>
    /// <exception cref="InvalidDataException">
    /// It is neither, is damaged, holds no sample, or one that is not finite: one sentence with file, byte and cause.
    /// </exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static AudioClip Read(string path) => Read(SampleFile.Whole(path, path).Read(), path);

    /// <summary>The same for bytes that are in memory.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidDataException">As for a path.</exception>
    public static AudioClip Read(byte[] bytes, string name)
    {
        var stored = ReadStored(bytes, name);
        var mono = stored.Mono();
        if (mono.Length == 0) throw AudioError.At(name, bytes.Length, "the file holds no samples");
        for (var i = 0; i < mono.Length; i++)
            if (!float.IsFinite(mono[i]))
                throw AudioError.At(name, WavFile.OffsetOf(bytes, name, i), $"sample {i} is not a finite number");
        return new AudioClip(mono, stored.Format.SampleRate);
    }

    /// <summary>The samples of a file with all channels, as stored.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidDataException">It is neither WAV nor FLAC, or is damaged.</exception>
    public static StoredAudio ReadStored(byte[] bytes, string name)
    {
        if (WavFile.Recognises(bytes)) return WavFile.Read(bytes, name);
        if (FlacFile.Recognises(bytes)) return FlacFile.Read(bytes, name);
        throw AudioError.At(name, 0, bytes.Length == 0
            ? "the file is empty; expected WAV or FLAC"
            : $"the file begins with {Beginning(bytes)}; expected RIFF or RF64 (WAV) or fLaC (FLAC)");
    }

    /// <summary>
    /// Format and length of a file from its first <paramref name="head"/>, without decoding; the whole file is read
    /// only when they do not stand there.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="head">Its first bytes, at least 64 or all.</param>
    /// <exception cref="InvalidDataException">It is neither WAV nor FLAC, or its head is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static AudioHeader ReadHeader(SampleFile file, ReadOnlySpan<byte> head)
    {
        var header = WavFile.Recognises(head) ? WavFile.ReadHeader(head, file.Length, file.Name)
            : FlacFile.Recognises(head) ? FlacStreamInfo.ReadHeader(head, file.Name)
            : null;
        if (header is not null) return header;
        var stored = ReadStored(file.Read(), file.Name);
        return new AudioHeader(stored.Format, stored.Length);
    }

    private static string Beginning(byte[] bytes)
    {
        var text = new StringBuilder("\"");
        foreach (var b in bytes.AsSpan(0, Math.Min(4, bytes.Length)))
            if (b is > 0x1F and < 0x7F) text.Append((char)b);
            else text.Append($"\\x{b:x2}");
        return text.Append('"').ToString();
    }
}

/// <summary>Makes the sentence for a damaged audio file.</summary>
internal static class AudioError
{
    public static InvalidDataException At(string name, long offset, string what) =>
        new($"{name}: byte {offset}: {what}.");
}
