using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>How much digit speech is made.</summary>
public sealed record DigitSpeechOptions
{
    /// <summary>Clips to train on.</summary>
    public int TrainingClips { get; init; } = 1200;

    /// <summary>Clips kept for probes.</summary>
    public int HeldOutClips { get; init; } = 300;

    /// <summary>Voices to train on, in turn.</summary>
    public int TrainingVoices { get; init; } = 40;

    /// <summary>Other voices, of the held-out clips, in turn.</summary>
    public int HeldOutVoices { get; init; } = 12;

    /// <summary>Length of every clip, 1 to 30.</summary>
    public double Seconds { get; init; } = 2.5;

    /// <summary>Threads that make them; 0 = all processors. Does not change a bit.</summary>
    public int Threads { get; init; }
}

/// <summary>
/// The corpus for runs without data of their own: spoken strings of three to seven digits (in 2.5 s) of many voices,
/// made by a small formant synthesiser with noise behind it, and of which words, voices and times of the phones are
/// known.
/// </summary>
public sealed class DigitSpeech
{
    private DigitSpeech(SpeechClip[] training, SpeechClip[] heldOut, ulong seed)
    {
        Training = training;
        HeldOut = heldOut;
        Seed = seed;
        var hashes = new byte[training.Length + heldOut.Length][];
        SpeechClip[] all = [.. training, .. heldOut];
        Parallel.For(0, all.Length, i => hashes[i] = Hash(all[i]));
        Digest = Convert.ToHexStringLower(SHA256.HashData(hashes.SelectMany(h => h).ToArray()));
    }

    /// <summary>One line on where the clips come from.</summary>
    public string Name => $"spoken digits from a formant synthesiser, seed {Seed}";

    /// <summary>Clips to train on.</summary>
    public IReadOnlyList<SpeechClip> Training { get; }

    /// <summary>Clips of voices that training never hears.</summary>
    public IReadOnlyList<SpeechClip> HeldOut { get; }

    /// <summary>What they were made from.</summary>
    public ulong Seed { get; }

    /// <summary>SHA-256, in hexadecimal, of names, sound, voices, words and times.</summary>
    public string Digest { get; }

    /// <summary>Makes the clips: a function of the seed and the options, not of the threads.</summary>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    public static DigitSpeech Generate(ulong seed, DigitSpeechOptions? options = null)
    {
        options ??= new DigitSpeechOptions();
        if (options.TrainingClips < 0 || options.HeldOutClips < 0 || options.TrainingVoices < 1
            || options.HeldOutVoices < 1 || options.Seconds is not (>= 1 and <= 30))
            throw new ArgumentException(
                $"Digit speech needs numbers of clips and voices and clips of 1 to 30 seconds; got {options}.");
        var samples = (int)Math.Round(options.Seconds * AudioSample.SampleRate);
        var voices = Voices(seed, options.TrainingVoices + options.HeldOutVoices);
        var clips = new SpeechClip[options.TrainingClips + options.HeldOutClips];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads > 0 ? options.Threads : -1 };
        Parallel.For(0, clips.Length, parallel, i =>
        {
            var held = i - options.TrainingClips;
            var voice = held < 0 ? i % options.TrainingVoices : options.TrainingVoices + held % options.HeldOutVoices;
            var name = held < 0 ? $"training/{i:00000}" : $"held-out/{held:00000}";
            // Numbered apart, so that more clips of one part change nothing in the other.
            clips[i] = Clip(seed, held < 0 ? i : held, held >= 0, name, voice, voices[voice], samples);
        });
        return new DigitSpeech(clips[..options.TrainingClips], clips[options.TrainingClips..], seed);
    }

    /// <summary>The same clips as any other audio corpus.</summary>
    public AudioCorpus ToCorpus()
    {
        AudioSample Sample(SpeechClip clip, bool held) => new(clip.Name, clip.Samples.Length, held,
            () => (float[])clip.Samples.Clone())
        {
            Transcript = clip.Transcript, Speaker = $"{clip.Voice}",
        };
        return new AudioCorpus(Name,
            [.. Training.Select(c => Sample(c, false)), .. HeldOut.Select(c => Sample(c, true))], Digest,
            "names, sound, voices, words and times of the phones");
    }

    private static SpeechVoice[] Voices(ulong seed, int count)
    {
        var random = new PhiloxStream(new RandomKey(seed, 0, 0, DataSites.Voice));
        var voices = new SpeechVoice[count];
        for (var i = 0; i < count; i++) voices[i] = SpeechVoice.Draw(random);
        return voices;
    }

    private static SpeechClip Clip(
        ulong seed, int number, bool heldOut, string name, int voice, SpeechVoice sound, int samples)
    {
        var part = (ushort)(heldOut ? 1 : 0);
        var random = new PhiloxStream(new RandomKey(seed, (uint)number, part, DataSites.Words));
        var plan = SpeechPlan.Draw(sound, samples, random);
        var wave = FormantSynthesizer.Sound(
            plan, sound, samples, new RandomKey(seed, (uint)number, part, DataSites.SpeechNoise), random);
        return new SpeechClip(name, wave, voice, plan.Digits, plan.Phones);
    }

    private static byte[] Hash(SpeechClip clip)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(
            $"{clip.Name}\0{clip.Voice}\0{clip.Transcript}\0{string.Join(' ', clip.Phones)}\0"));
        hash.AppendData(MemoryMarshal.AsBytes(clip.Samples.AsSpan()));
        return hash.GetHashAndReset();
    }
}
