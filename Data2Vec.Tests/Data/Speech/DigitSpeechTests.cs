using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data.Speech;

public sealed class DigitSpeechTests
{
    private static readonly DigitSpeechOptions Few = new() { TrainingClips = 24, HeldOutClips = 12 };

    private static readonly Lazy<DigitSpeech> Speech = new(() => DigitSpeech.Generate(1, Few));

    [Test]
    public void The_same_seed_gives_the_same_bits_on_any_number_of_threads()
    {
        var one = DigitSpeech.Generate(1, Few with { Threads = 1 });
        var many = DigitSpeech.Generate(1, Few with { Threads = 7 });
        Assert.That(one.Digest, Is.EqualTo(Speech.Value.Digest).And.EqualTo(many.Digest));
        Assert.That(one.Digest, Does.Match("^[0-9a-f]{64}$"));
        Assert.That(DigitSpeech.Generate(2, Few).Digest, Is.Not.EqualTo(one.Digest));
        Assert.That(one.Training[5].Samples, Is.EqualTo(many.Training[5].Samples));
    }

    [Test]
    public void More_clips_do_not_change_those_that_were_there()
    {
        var more = DigitSpeech.Generate(1, Few with { TrainingClips = 30, HeldOutClips = 14 });
        Assert.That(more.Training[23].Samples, Is.EqualTo(Speech.Value.Training[23].Samples));
        Assert.That(more.HeldOut[11].Samples, Is.EqualTo(Speech.Value.HeldOut[11].Samples));
    }

    [Test]
    public void Clips_are_loud_enough_finite_and_never_alike()
    {
        foreach (var clip in Speech.Value.Training.Concat(Speech.Value.HeldOut))
        {
            Assert.That(clip.Samples, Has.Length.EqualTo(40000));
            Assert.That(clip.Samples, Is.All.Matches<float>(float.IsFinite));
            Assert.That(Math.Sqrt(clip.Samples.Average(x => (double)x * x)), Is.EqualTo(0.1).Within(0.003), clip.Name);
            Assert.That(clip.Samples.Max(Math.Abs), Is.LessThan(1.5), clip.Name);
        }
        Assert.That(Speech.Value.Training.Select(c => c.Samples[1000]).Distinct().Count(), Is.EqualTo(24));
    }

    [Test]
    public void Held_out_voices_are_others_and_take_turns()
    {
        Assert.That(Speech.Value.Training.Select(c => c.Voice), Is.EqualTo(Enumerable.Range(0, 24)));
        Assert.That(Speech.Value.HeldOut.Select(c => c.Voice), Is.EqualTo(Enumerable.Range(40, 12)));
    }

    [Test]
    public void Phones_follow_the_words_in_time()
    {
        foreach (var clip in Speech.Value.Training)
        {
            Assert.That(clip.Digits, Has.Count.InRange(3, 7));
            Assert.That(clip.Transcript.Split(' '), Is.EqualTo(clip.Digits.Select(DigitPhones.Word)));
            Assert.That(clip.Phones.Select(p => p.Phone), Is.EqualTo(clip.Digits.SelectMany(DigitPhones.Of)));
            foreach (var (a, b) in clip.Phones.Zip(clip.Phones.Skip(1)))
                Assert.That(b.Start, Is.GreaterThanOrEqualTo(a.End));
            Assert.That(clip.Phones.Min(p => p.End - p.Start), Is.GreaterThan(300));
            Assert.That(clip.Phones[^1].End, Is.LessThanOrEqualTo(40000));
            var middle = clip.Phones[4];
            Assert.That(clip.PhoneAt((middle.Start + middle.End) / 2), Is.EqualTo(middle.Phone));
            Assert.That(clip.PhoneAt(0), Is.EqualTo(DigitPhones.Silence));
        }
        var heard = Speech.Value.Training.SelectMany(c => c.Phones.Select(p => p.Phone));
        Assert.That(heard.Distinct().Count(), Is.EqualTo(19));
    }

    /// <summary>Vowels sound: their first two formants are where the table has them, scaled by the voice.</summary>
    [TestCase("IY", 270, 2290)]
    [TestCase("AO", 570, 840)]
    [TestCase("EH", 530, 1840)]
    public void Vowels_have_their_formants(string vowel, double first, double second)
    {
        var phone = DigitPhones.Names.ToList().IndexOf(vowel);
        var spectrum = new Spectrum(512);
        var power = new double[spectrum.Bins];
        var sum = new double[spectrum.Bins];
        foreach (var clip in Speech.Value.Training)
            foreach (var interval in clip.Phones.Where(p => p.Phone == phone))
            {
                var middle = (interval.Start + interval.End) / 2;
                var frame = Enumerable.Range(0, 400).Select(i => clip.Samples[middle - 200 + i]
                    * (0.5 - 0.5 * Math.Cos(2 * Math.PI * i / 400))).ToArray();
                spectrum.Power(frame, power);
                for (var k = 0; k < sum.Length; k++) sum[k] += Math.Log(power[k] + 1e-9);
            }
        // Voices differ by -12 to +22 %; the mean spectrum peaks near the middle of them, harmonics blurred.
        double Level(double f) => Enumerable.Range(-2, 5).Average(d => sum[(int)(f * 1.05 * 512 / 16000) + d]);
        var valley = Level(Math.Sqrt(first * second));
        if (second > 2.5 * first)
        {
            Assert.That(Level(first), Is.GreaterThan(valley));
            Assert.That(Level(second), Is.GreaterThan(valley));
        }
        Assert.That(Level(second), Is.GreaterThan(Level(second * 1.9)));
        Assert.That(Level(first), Is.GreaterThan(Level(second * 1.9)));
    }

    [Test]
    public void Hissing_phones_are_high_and_plosives_begin_with_a_pause()
    {
        double Share(float[] x, int from, int to)
        {
            double slope = 0, all = 0;
            for (var i = from + 1; i < to; i++)
            {
                slope += Math.Pow(x[i] - x[i - 1], 2);
                all += Math.Pow(x[i], 2);
            }
            return slope / all;
        }
        double Mean(string name) => Speech.Value.Training.SelectMany(c => c.Phones
            .Where(p => DigitPhones.Names[p.Phone] == name).Select(p => Share(c.Samples, p.Start, p.End))).Average();
        Assert.That(Mean("S"), Is.GreaterThan(5 * Mean("AO")));
        double Power(string name, double from, double to) => Speech.Value.Training.SelectMany(c => c.Phones
            .Where(p => DigitPhones.Names[p.Phone] == name).Select(p =>
            {
                var (start, end) = (p.Start + (int)(from * (p.End - p.Start)), p.Start + (int)(to * (p.End - p.Start)));
                return c.Samples[start..end].Average(x => (double)x * x);
            })).Average();
        Assert.That(Power("T", 0.6, 0.9), Is.GreaterThan(3 * Power("T", 0.2, 0.5)));
    }

    [Test]
    public void It_is_a_corpus_like_any_other()
    {
        var corpus = Speech.Value.ToCorpus();
        Assert.That((corpus.Training.Count, corpus.HeldOut.Count), Is.EqualTo((24, 12)));
        Assert.That(corpus.Digest, Is.EqualTo(Speech.Value.Digest));
        Assert.That(corpus.Training[3].Transcript, Is.EqualTo(Speech.Value.Training[3].Transcript));
        var reader = AudioCorpus.Reader(corpus.Training, new BadSamples(BadSamplePolicy.Fail));
        var wave = reader.Read(3);
        Assert.That(wave.Average(x => (double)x * x), Is.EqualTo(1).Within(1e-4));
        Assert.That(Speech.Value.Training[3].Samples[77], Is.Not.EqualTo(wave[77]), "the clip itself is left as it is");
    }

    [Test]
    public void Numbers_out_of_range_are_refused()
    {
        Assert.That(() => DigitSpeech.Generate(1, Few with { Seconds = 0.5 }), Throws.ArgumentException);
        Assert.That(() => DigitSpeech.Generate(1, Few with { TrainingClips = -1 }), Throws.ArgumentException);
        Assert.That(() => DigitSpeech.Generate(1, Few with { HeldOutVoices = 0 }), Throws.ArgumentException);
        Assert.That(DigitSpeech.Generate(1, Few with { Seconds = 1, HeldOutClips = 0 }).Training[0].Samples,
            Has.Length.EqualTo(16000));
    }
}
