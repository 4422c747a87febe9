using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>
/// Speech made for runs without data of their own: three to seven digits in 2.5 s by voices of a formant synthesiser,
/// with the sound of every 5 ms known. Held-out clips are spoken by other voices than training clips.
/// </summary>
/// <remarks>
/// A clip is a function of seed, part (training or held out) and number in it alone, on any number of threads. The C
/// library's last bits take part, so that single levels may differ between platforms.
/// </remarks>
public sealed class DigitSpeech
{
    /// <summary>Voices of the training clips: numbers 0 to 39, in turn.</summary>
    public const int TrainingVoices = 40;

    /// <summary>Voices of the held-out clips: numbers 40 to 51, in turn.</summary>
    public const int HeldOutVoices = 12;

    private const uint PlanSite = 0x5350_4B50;
    private const uint SoundSite = 0x5350_4B53;

    private DigitSpeech(ulong seed, SpeechClip[] training, SpeechClip[] heldOut)
    {
        Training = training;
        HeldOut = heldOut;
        Digest = Hash([.. training, .. heldOut]);
        Name = $"generated digits, seed {seed}: {training.Length} + {heldOut.Length} clips";
    }

    /// <summary>Names of the sounds by their numbers in labels: silence, then those of the ARPAbet that occur.</summary>
    public static IReadOnlyList<string> Phones { get; } = ["SIL", .. SpeechPhones.All.Select(p => p.Name)];

    /// <summary>The clips to train on.</summary>
    public IReadOnlyList<SpeechClip> Training { get; }

    /// <summary>The clips kept for probes.</summary>
    public IReadOnlyList<SpeechClip> HeldOut { get; }

    /// <summary>SHA-256, in hexadecimal, of names, samples, voices, words and labels.</summary>
    public string Digest { get; }

    /// <summary>One line on what was made.</summary>
    public string Name { get; }

    /// <summary>Makes the clips, on all processors.</summary>
    /// <param name="seed">Another seed gives other voices and clips.</param>
    /// <param name="training">How many to train on.</param>
    /// <param name="heldOut">How many to hold out.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public static DigitSpeech Generate(ulong seed, int training = 1200, int heldOut = 300) =>
        Generate(seed, training, heldOut, new ParallelOptions());

    internal static DigitSpeech Generate(ulong seed, int training, int heldOut, ParallelOptions threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(training);
        ArgumentOutOfRangeException.ThrowIfNegative(heldOut);
        var clips = new SpeechClip[training + heldOut];
        Parallel.For(0, clips.Length, threads, i =>
            clips[i] = i < training ? Make(seed, false, i) : Make(seed, true, i - training));
        return new DigitSpeech(seed, clips[..training], clips[training..]);
    }

    private static SpeechClip Make(ulong seed, bool heldOut, int number)
    {
        var part = (ushort)(heldOut ? 1 : 0);
        var voices = heldOut ? HeldOutVoices : TrainingVoices;
        var voice = SpeechVoice.Draw(seed, part, number % voices, voices);
        var plan = SpeechPlan.Draw(voice, new PhiloxStream(new RandomKey(seed, (uint)number, part, PlanSite)));
        return new SpeechClip(
            string.Create(CultureInfo.InvariantCulture, $"{(heldOut ? "held-out" : "training")}/{number:D6}"),
            FormantSynthesiser.Speak(
                plan, voice, new PhiloxStream(new RandomKey(seed, (uint)number, part, SoundSite))),
            number % voices + (heldOut ? TrainingVoices : 0),
            string.Join(' ', plan.Digits.Select(d => SpeechPhones.Words[d])), plan.Digits.Length, plan.Labels);
    }

    private static string Hash(SpeechClip[] clips)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var clip in clips)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(
                string.Create(CultureInfo.InvariantCulture, $"{clip.Name}\n{clip.Voice}\n{clip.Transcript}\n")));
            hash.AppendData(clip.Labels);
            hash.AppendData(MemoryMarshal.AsBytes<float>(clip.Samples));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
