namespace Data2Vec.Models.Data;

/// <summary>One utterance of a corpus; its sound is read or made when it is asked for.</summary>
public sealed class AudioSample
{
    /// <summary>Samples per second of everything that models hear.</summary>
    public const int SampleRate = 16000;

    private readonly Func<float[]> read;

    /// <param name="name">A stable name.</param>
    /// <param name="length">Samples at 16 kHz.</param>
    /// <param name="heldOut">Kept away from training.</param>
    /// <param name="read">Gives one channel at 16 kHz; may be called from several threads.</param>
    public AudioSample(string name, int length, bool heldOut, Func<float[]> read)
    {
        Name = name;
        Length = length;
        HeldOut = heldOut;
        this.read = read;
    }

    /// <summary>A stable name.</summary>
    public string Name { get; }

    /// <summary>Samples at 16 kHz, as the head of the file promises them.</summary>
    public int Length { get; }

    /// <summary>Kept away from training.</summary>
    public bool HeldOut { get; }

    /// <summary>What is said; null when it is not known.</summary>
    public string? Transcript { get; init; }

    /// <summary>Who speaks; null when it is not known.</summary>
    public string? Speaker { get; init; }

    /// <summary>One channel at 16 kHz.</summary>
    /// <exception cref="InvalidDataException">The file is damaged; the sentence says where.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public float[] Read() => read();

    /// <summary>A sample that lies in a file.</summary>
    internal static AudioSample InFile(
        SampleFile file, AudioHeader header, bool heldOut, string? transcript, string? speaker)
    {
        var rate = header.Format.SampleRate;
        // The same bounds as the resampler's, so that a bad rate is found when the corpus is opened.
        if (rate < SampleRate / Resampler.MostIncrease)
            throw new InvalidDataException(
                $"{file.Name}: a sample rate of {rate} Hz is too low to be brought to {SampleRate}.");
        var length = (header.Length * SampleRate + rate - 1) / rate;
        if (length > Array.MaxLength)
            throw new InvalidDataException($"{file.Name}: {header.Length} samples are too many for one utterance.");
        return new AudioSample(file.Name, (int)length, heldOut, () =>
            Resampler.Resample(AudioFile.Read(file.Read(), file.Name), SampleRate).Samples)
        {
            Transcript = transcript, Speaker = speaker,
        };
    }
}
