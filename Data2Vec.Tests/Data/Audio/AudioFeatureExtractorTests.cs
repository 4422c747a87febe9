using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data.Audio;

public sealed class AudioFeatureExtractorTests
{
    [Test]
    public void Every_utterance_gets_zero_mean_and_unit_variance_of_its_own_samples()
    {
        var got = AudioFeatureExtractor.Extract([[1, 2, 3, 6], [10, 20]]);
        Assert.That(got.ValidSamples, Is.EqualTo(new[] { 4, 2 }));
        Assert.That(got.Values[1], Is.EqualTo(new float[] { -1, 1, 0, 0 }).Within(1e-6f));
        Assert.That(got.Values[0].Sum(), Is.Zero.Within(1e-6));
        Assert.That(got.Values[0].Sum(x => x * x) / 4, Is.EqualTo(1).Within(1e-6), "the variance over n, not n - 1");
        Assert.That(got.Mask(1), Is.EqualTo(new[] { 1, 1, 0, 0 }));
    }

    [Test]
    public void A_constant_utterance_becomes_zero()
    {
        var samples = Enumerable.Repeat(0.3f, 1000).ToArray();
        AudioFeatureExtractor.Normalise(samples, 1e-5);
        Assert.That(samples, Is.All.EqualTo(0).Within(1e-4f));
        AudioFeatureExtractor.Normalise(default, 1e-5);
    }

    [Test]
    public void Lengths_follow_the_options()
    {
        float[][] waves = [[1, 2, 3, 4, 5], [1, 2]];
        int[] Lengths(AudioExtractorOptions o) =>
            [.. AudioFeatureExtractor.Extract(waves, o).Values.Select(v => v.Length)];
        Assert.That(Lengths(new() { Padding = AudioPadding.None }), Is.EqualTo(new[] { 5, 2 }));
        Assert.That(Lengths(new() { PadToMultipleOf = 4 }), Is.EqualTo(new[] { 8, 8 }));
        Assert.That(Lengths(new() { Padding = AudioPadding.MaxLength, MaxLength = 4 }), Is.EqualTo(new[] { 5, 4 }));
        var cut = new AudioExtractorOptions
        {
            Padding = AudioPadding.MaxLength, MaxLength = 3, Truncate = true, PadToMultipleOf = 2,
        };
        Assert.That(Lengths(cut), Is.EqualTo(new[] { 4, 4 }));
    }

    [Test]
    public void Missing_lengths_and_empty_utterances_are_refused()
    {
        Assert.That(() => AudioFeatureExtractor.Extract([[]]), Throws.ArgumentException);
        Assert.That(() => AudioFeatureExtractor.Extract([[1]], new() { Truncate = true }), Throws.ArgumentException);
        Assert.That(() => AudioFeatureExtractor.Extract([[1]], new() { MaxLength = 0 }), Throws.ArgumentException);
        Assert.That(() => AudioFeatureExtractor.Extract([[1]], new() { PadToMultipleOf = 0 }),
            Throws.ArgumentException);
    }

    [Test]
    public void Frames_of_features_are_counted_as_published()
    {
        var x = new float[1000];
        Assert.That(KaldiFeatures.Mfcc(x).Frames, Is.EqualTo(1 + (1000 - 400) / 160));
        Assert.That(KaldiFeatures.Mfcc(x.AsSpan(0, 399)).Frames, Is.Zero);
        Assert.That(KaldiFeatures.FilterBank(x, new() { SnipEdges = false }).Frames, Is.EqualTo((1000 + 80) / 160));
        Assert.That(PythonSpeechFeatures.Mfcc(x).Frames, Is.EqualTo(1 + 4));
        Assert.That(PythonSpeechFeatures.Mfcc(x.AsSpan(0, 7)).Frames, Is.EqualTo(1));
        Assert.That(() => KaldiFeatures.Mfcc(x, new() { HighFrequency = 9000 }), Throws.ArgumentException);
        Assert.That(() => KaldiFeatures.Mfcc(x, new() { Cepstra = 24 }), Throws.ArgumentException);
        Assert.That(() => PythonSpeechFeatures.Mfcc(x, new() { Filters = 0 }), Throws.ArgumentException);
    }

    [TestCase(400, TestName = "The_transform_agrees_with_a_slow_one_where_no_power_of_two_fits")]
    [TestCase(512, TestName = "The_transform_agrees_with_a_slow_one_for_powers_of_two")]
    public void The_transform_is_right(int size)
    {
        var random = new Random(2);
        var frame = Enumerable.Range(0, 400).Select(_ => random.NextDouble() - 0.5).ToArray();
        var spectrum = new Spectrum(size);
        var power = new double[spectrum.Bins];
        spectrum.Power(frame, power);
        foreach (var k in new[] { 0, 1, 77, size / 2 })
        {
            var (re, im) = (0.0, 0.0);
            for (var i = 0; i < 400; i++)
            {
                re += frame[i] * Math.Cos(2 * Math.PI * i * k / size);
                im -= frame[i] * Math.Sin(2 * Math.PI * i * k / size);
            }
            Assert.That(power[k], Is.EqualTo(re * re + im * im).Within(1e-10));
        }
    }
}
