namespace Data2Vec.Models.Data;

/// <summary>One generated clip of spoken digits, with what is said when.</summary>
/// <param name="Name">A stable name.</param>
/// <param name="Samples">[<see cref="Length"/>] at 16 kHz, within [-1, 1].</param>
/// <param name="Voice">Number of the voice; held-out clips have voices of their own.</param>
/// <param name="Transcript">The digits as words, such as "three one four".</param>
/// <param name="Digits">How many are said.</param>
/// <param name="Labels">
/// [<see cref="Blocks"/>]: the sound of every 5 ms, by its number in <see cref="DigitSpeech.Phones"/>.
/// </param>
public sealed record SpeechClip(
    string Name, float[] Samples, int Voice, string Transcript, int Digits, byte[] Labels)
{
    /// <summary>Samples per second.</summary>
    public const int SampleRate = 16000;

    /// <summary>Samples of a clip: 2.5 s.</summary>
    public const int Length = 40000;

    /// <summary>Samples of a block, which has one label.</summary>
    public const int BlockLength = 80;

    /// <summary>Blocks of a clip.</summary>
    public const int Blocks = Length / BlockLength;
}
