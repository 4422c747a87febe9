using Data2Vec.Models;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using NUnit.Framework;

namespace Data2Vec.Tests.Evaluation;

public sealed class AudioProbesTests
{
    private static readonly Lazy<DigitSpeech> Speech = new(() => DigitSpeech.Generate(
        1, new DigitSpeechOptions { TrainingClips = 120, HeldOutClips = 120 }));

    private static readonly Lazy<AudioProbes> Probes = new(() => new AudioProbes(Speech.Value, Options));

    private static AudioProbeOptions Options =>
        new() { TrainingClips = 120, TestClips = 120, TrainingFrames = 3000, TestFrames = 2500 };

    [Test]
    public void There_are_examples_enough_and_the_baselines_are_what_the_spectrum_gives()
    {
        var results = Probes.Value.Results([0, 0, 0, 0], [1, 1, 1, 1]);
        foreach (var baseline in Probes.Value.Baselines) TestContext.Out.WriteLine(baseline);
        foreach (var result in results) TestContext.Out.WriteLine(result);
        Assert.That(Probes.Value.Names, Is.EqualTo(new[]
        {
            "phone of the hidden frame", "phone of a visible frame", "number of digits", "voice",
        }));
        Assert.That(Probes.Value.LeftOut, Is.Empty);
        Assert.That(results[0].Examples, Is.GreaterThanOrEqualTo(2000));
        // Far above chance, far below perfect: the spectrum beside a gap says something, but not all.
        Assert.That(results[0].SimpleBaseline, Is.InRange(results[0].Majority + 0.1, 0.55));
        Assert.That(results[1].SimpleBaseline, Is.InRange(0.75, 0.97));
        var alone = Probes.Value.Baselines.Single(b => b.Name == "log-mel of the frame").Accuracy;
        Assert.That(alone, Is.InRange(0.6, results[1].SimpleBaseline));
        Assert.That(results[2].Majority, Is.InRange(0.2, 0.55));
        Assert.That(results[3].SimpleBaseline, Is.GreaterThan(results[3].Majority + 0.4));
    }

    [Test]
    public void Features_that_know_more_score_higher()
    {
        var knowing = Probes.Value.Accuracies(new Features(Speech.Value, knows: true));
        var blind = Probes.Value.Accuracies(new Features(Speech.Value, knows: false));
        Assert.That(knowing[0], Is.GreaterThan(0.95));
        Assert.That(knowing[1], Is.GreaterThan(0.95));
        Assert.That(knowing[2], Is.GreaterThan(0.9));
        Assert.That(blind[0], Is.LessThan(0.25));
        Assert.That(blind[1], Is.LessThan(0.25));
        Assert.That(Probes.Value.Accuracies(new Features(Speech.Value, true)), Is.EqualTo(knowing));
    }

    [Test]
    public void Only_speech_is_asked_for_and_hidden_frames_are_hidden()
    {
        var seen = new Features(Speech.Value, true);
        Probes.Value.Accuracies(seen);
        Assert.That(seen.Asked, Is.EqualTo(2 * (3000 + 2500)));
        Assert.That(seen.HiddenShare, Is.InRange(0.40, 0.52));
    }

    [Test]
    public void Probes_with_too_few_examples_are_left_out_with_the_reason()
    {
        var few = new AudioProbes(Speech.Value, Options with { TestFrames = 1999 });
        Assert.That(few.Names, Is.EqualTo(new[] { "number of digits", "voice" }));
        Assert.That(few.LeftOut[0], Does.StartWith("phone of the hidden frame").And.Contain("1999 to test"));
        var clips = new AudioProbes(Speech.Value, Options with { TestClips = 30 });
        Assert.That(clips.LeftOut.Select(l => l.Split(':')[0]), Does.Contain("voice").And.Contain("number of digits"));
    }

    [Test]
    public void An_encoder_with_other_frames_is_refused() =>
        Assert.That(() => Probes.Value.Accuracies(new Features(Speech.Value, true) { Extra = 1 }),
            Throws.ArgumentException.With.Message.Contains("so 124 of 40000 samples; the encoder makes 125"));

    [Test]
    public void Frames_are_those_of_the_published_encoder()
    {
        var encoder = new AudioEncoderConfig(
            new TransformerConfig(2, 32, 2, 64), AudioEncoderConfig.PublishedFeatures(8));
        foreach (var samples in new[] { 399, 400, 719, 720, 16000, 40000, 93680 })
            Assert.That(SpeechFrameSet.Frames(samples), Is.EqualTo(encoder.Frames(samples)));
    }

    /// <summary>Knows the phones and the number of digits of every clip by its samples, or nothing.</summary>
    private sealed class Features : IAudioFeatures
    {
        private readonly Dictionary<float, SpeechClip> clips;
        private readonly bool knows;

        public Features(DigitSpeech speech, bool knows)
        {
            this.knows = knows;
            clips = speech.Training.Concat(speech.HeldOut).ToDictionary(c => Key(Normalised(c.Samples)));
        }

        public int Extra { get; init; }

        public int Asked { get; private set; }

        public double HiddenShare { get; private set; }

        public int Width => 24;

        public int Frames(int samples) => (samples - 400) / 320 + 1 + Extra;

        public float[] AtFrames(
            IReadOnlyList<float[]> waves, IReadOnlyList<bool[]>? masks, IReadOnlyList<(int Clip, int Frame)> places)
        {
            var result = new float[places.Count * Width];
            Asked += places.Count;
            if (masks is not null)
            {
                Assert.That(places, Is.All.Matches<(int Clip, int Frame)>(p => masks[p.Clip][p.Frame]));
                HiddenShare = masks.Average(m => m.Count(h => h) / (double)m.Length);
            }
            for (var i = 0; i < places.Count; i++)
            {
                var phone = clips[Key(waves[places[i].Clip])].PhoneAt(places[i].Frame * 320 + 200);
                Assert.That(phone, Is.Not.EqualTo(DigitPhones.Silence));
                result[i * Width + (knows ? phone : i % Width)] = 1;
            }
            return result;
        }

        public float[] MeanPooled(IReadOnlyList<float[]> waves)
        {
            var result = new float[waves.Count * Width];
            for (var i = 0; i < waves.Count; i++)
                result[i * Width + (knows ? clips[Key(waves[i])].Digits.Count : 0)] = 1 + i % 2;
            return result;
        }

        private static float Key(float[] wave) => wave[12345];

        private static float[] Normalised(float[] samples)
        {
            var wave = (float[])samples.Clone();
            AudioFeatureExtractor.Normalise(wave);
            return wave;
        }
    }
}
