namespace Data2Vec.Models.Data;

/// <summary>When a phone is heard.</summary>
/// <param name="Phone">Its number in <see cref="DigitPhones.Names"/>; never silence.</param>
/// <param name="Start">First sample.</param>
/// <param name="End">One past the last sample.</param>
public readonly record struct PhoneInterval(int Phone, int Start, int End);

/// <summary>A spoken string of digits of which everything is known.</summary>
/// <param name="Name">A stable name.</param>
/// <param name="Samples">One channel at 16 kHz.</param>
/// <param name="Voice">Number of the voice; voices of held-out clips have numbers of their own.</param>
/// <param name="Digits">What is said.</param>
/// <param name="Phones">When each phone is heard, in order.</param>
public sealed record SpeechClip(
    string Name, float[] Samples, int Voice, IReadOnlyList<int> Digits, IReadOnlyList<PhoneInterval> Phones)
{
    /// <summary>The words, in capitals with spaces between.</summary>
    public string Transcript => string.Join(' ', Digits.Select(DigitPhones.Word));

    /// <summary>The phone that is heard at a sample; silence between them.</summary>
    public int PhoneAt(int sample)
    {
        foreach (var interval in Phones)
            if (sample >= interval.Start && sample < interval.End) return interval.Phone;
        return DigitPhones.Silence;
    }
}
