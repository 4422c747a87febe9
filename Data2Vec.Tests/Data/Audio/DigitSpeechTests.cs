using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data.Audio;

public sealed class DigitSpeechTests
{
    private static readonly DigitSpeech Speech = DigitSpeech.Generate(3, 120, 48);

    private static IEnumerable<SpeechClip> All => Speech.Training.Concat(Speech.HeldOut);

    [Test]
    public void The_same_seed_gives_the_same_clips_on_any_number_of_threads()
    {
        var alone = DigitSpeech.Generate(3, 120, 48, new ParallelOptions { MaxDegreeOfParallelism = 1 });
        Assert.That(alone.Digest, Is.EqualTo(Speech.Digest));
        Assert.That(alone.Training[77].Samples, Is.EqualTo(Speech.Training[77].Samples));
        var other = DigitSpeech.Generate(4, 120, 48);
        Assert.That(other.Digest, Is.Not.EqualTo(Speech.Digest));
        Assert.That(other.Training[0].Samples, Is.Not.EqualTo(Speech.Training[0].Samples));
    }

    [Test]
    public void A_clip_depends_on_its_number_and_not_on_how_many_there_are()
    {
        var few = DigitSpeech.Generate(3, 5, 2);
        for (var i = 0; i < 5; i++) AssertSame(few.Training[i], Speech.Training[i]);
        for (var i = 0; i < 2; i++) AssertSame(few.HeldOut[i], Speech.HeldOut[i]);
        Assert.That(few.Training[0].Samples, Is.Not.EqualTo(few.HeldOut[0].Samples));
        Assert.That(All.Select(c => c.Name), Is.Unique);
        Assert.That(few.Digest, Is.Not.EqualTo(Speech.Digest));
        Assert.That(DigitSpeech.Generate(3, 0, 0).Training, Is.Empty);
        Assert.That(() => DigitSpeech.Generate(3, -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Samples_are_those_of_16_bit_files_and_neither_silent_nor_cut_off()
    {
        foreach (var clip in All)
        {
            Assert.That(clip.Samples, Has.Length.EqualTo(40000));
            Assert.That(clip.Samples.All(x => x is >= -1 and <= 1 && x * 32768 == MathF.Round(x * 32768)), clip.Name);
            Assert.That(clip.Samples.Count(x => Math.Abs(x) > 0.999), Is.LessThan(40), clip.Name);
            // Sound at 0.08; noise at least 18 dB below adds at most 0.8 %.
            Assert.That(Math.Sqrt(clip.Samples.Average(x => (double)x * x)), Is.InRange(0.0795, 0.081), clip.Name);
        }
    }

    [Test]
    public void Voices_take_turns_and_held_out_ones_are_unseen()
    {
        Assert.That(Speech.Training.Select(c => c.Voice).Distinct().Order(), Is.EqualTo(Enumerable.Range(0, 40)));
        Assert.That(Speech.HeldOut.Select(c => c.Voice).Distinct().Order(), Is.EqualTo(Enumerable.Range(40, 12)));
        var voices = Enumerable.Range(0, 40).Select(v => SpeechVoice.Draw(3, 0, v, 40)).ToArray();
        var unseen = Enumerable.Range(0, 12).Select(v => SpeechVoice.Draw(3, 1, v, 12)).ToArray();
        Assert.That(voices.Concat(unseen).Distinct().Count(), Is.EqualTo(52));
        foreach (var group in (SpeechVoice[][])[voices, unseen])
        {
            Assert.That(group.Min(v => v.Pitch), Is.InRange(90, 120));
            Assert.That(group.Max(v => v.Pitch), Is.InRange(180, 238));
            Assert.That(group.Select(v => v.FormantScale), Is.All.InRange(0.88, 1.22));
        }
    }

    [Test]
    public void Labels_follow_what_is_said()
    {
        Assert.That(DigitSpeech.Phones, Has.Count.EqualTo(20));
        Assert.That(DigitSpeech.Phones[0], Is.EqualTo("SIL"));
        foreach (var clip in All)
        {
            var words = clip.Transcript.Split(' ');
            Assert.That(words, Has.Length.EqualTo(clip.Digits));
            Assert.That(clip.Digits, Is.InRange(3, 7));
            var said = words.SelectMany(w => SpeechPhones.Digits[Array.IndexOf(SpeechPhones.Words, w)])
                .Select(p => p + 1);
            // Equal neighbours ("nine nine") may have a pause between them or not: either way they count as one here.
            Assert.That(Runs(clip.Labels.Select(l => (int)l).Where(l => l != 0)),
                Is.EqualTo(Runs(said)), $"{clip.Name}: {clip.Transcript}");
            Assert.That(clip.Labels, Has.Length.EqualTo(500));
            Assert.That(clip.Labels[0], Is.Zero);
            Assert.That(clip.Labels[^1], Is.Zero);
        }
        var shares = All.SelectMany(c => c.Labels).CountBy(l => l).ToDictionary(
            c => c.Key, c => c.Value / (168 * 500.0));
        Assert.That(shares, Has.Count.EqualTo(20), "every sound occurs");
        Assert.That(shares[0], Is.InRange(0.2, 0.45));
        Assert.That(shares.Where(s => s.Key != 0).Select(s => s.Value), Is.All.InRange(0.005, 0.12));
    }

    [Test]
    public void Vowels_are_loud_hiss_is_high_and_silence_is_neither()
    {
        Assert.That(Loudness("AH"), Is.GreaterThan(4 * Loudness("SIL")));
        Assert.That(Loudness("S"), Is.GreaterThan(2 * Loudness("SIL")));
        Assert.That(Crossings("S"), Is.GreaterThan(0.5), "5.6 kHz crosses zero 0.7 times a sample");
        Assert.That(Crossings("AO"), Is.LessThan(0.25), "the first formants are below 1 kHz");
    }

    private static double Loudness(string phone) =>
        Math.Sqrt(Blocks(phone).Average(b => b.ToArray().Average(x => (double)x * x)));

    private static double Crossings(string phone) => Blocks(phone).Average(b =>
        Enumerable.Range(1, 79).Count(i => b.Span[i] < 0 != b.Span[i - 1] < 0) / 79.0);

    /// <summary>Blocks of a sound that lie inside of it.</summary>
    private static IEnumerable<ReadOnlyMemory<float>> Blocks(string phone)
    {
        var label = DigitSpeech.Phones.ToList().IndexOf(phone);
        return All.SelectMany(c => Enumerable.Range(4, 492)
            .Where(b => c.Labels.AsSpan(b - 4, 9).IndexOfAnyExcept((byte)label) < 0)
            .Select(b => (ReadOnlyMemory<float>)c.Samples.AsMemory(b * 80, 80)));
    }

    private static IEnumerable<int> Runs(IEnumerable<int> labels)
    {
        var last = -1;
        foreach (var label in labels)
        {
            if (label != last) yield return label;
            last = label;
        }
    }

    private static void AssertSame(SpeechClip actual, SpeechClip expected)
    {
        Assert.That(actual.Samples, Is.EqualTo(expected.Samples));
        Assert.That(actual.Labels, Is.EqualTo(expected.Labels));
        Assert.That((actual.Name, actual.Voice, actual.Transcript),
            Is.EqualTo((expected.Name, expected.Voice, expected.Transcript)));
    }
}
