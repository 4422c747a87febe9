using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data.Audio;

public sealed class ResamplerTests
{
    [TestCase(8000, 16000, 1000, 2000)]
    [TestCase(44100, 16000, 44100, 16000)]
    [TestCase(44100, 16000, 9999, 3628)]
    [TestCase(48000, 16000, 1, 1)]
    [TestCase(16000, 8000, 4801, 2401)]
    [TestCase(16000, 44100, 3, 9)]
    [TestCase(16000, 16000, 17, 17)]
    [TestCase(8000, 16000, 0, 0)]
    public void The_length_is_rounded_up(int from, int to, int length, int expected) =>
        Assert.That(Resampler.Between(from, to).Apply(new float[length]), Has.Length.EqualTo(expected));

    [TestCase(8000, 16000)]
    [TestCase(44100, 16000)]
    [TestCase(44101, 16000)]
    [TestCase(655_347, 16000)]
    [TestCase(16000, 8000)]
    public void A_constant_stays_itself_and_nothing_is_delayed(int from, int to)
    {
        // 44101 and 655347 share no factor with 16000: every output has taps of its own; the second keeps none.
        var length = from / 10;
        var y = Resampler.Between(from, to).Apply([.. Enumerable.Repeat(0.7f, length)]);
        var edge = 81 * to / Math.Min(from, to) + 1;
        Assert.That(y[edge..^edge], Is.All.EqualTo(0.7f).Within(1e-6f));

        // A bump whose top is on sample 0.05 s; its width is far below the cut-off.
        float Bump(double t) => (float)Math.Exp(-Math.Pow((t - 0.05) / 0.002, 2));
        var bump = Resampler.Between(from, to).Apply(
            [.. Enumerable.Range(0, length).Select(i => Bump((double)i / from))]);
        var expected = Enumerable.Range(0, bump.Length).Select(i => Bump((double)i / to));
        Assert.That(bump.Zip(expected).Max(p => Math.Abs(p.First - p.Second)), Is.LessThan(1e-5f));
    }

    [Test]
    public void Tones_above_half_the_new_rate_vanish()
    {
        var tone = Enumerable.Range(0, 24000)
            .Select(i => (float)Math.Sin(i * 2 * Math.PI * 8050 / 48000)).ToArray();
        var y = Resampler.Between(48000, 16000).Apply(tone);
        Assert.That(y[200..^200].Max(Math.Abs), Is.LessThan(1e-5f));
    }

    [Test]
    public void Rates_that_make_no_sense_are_refused()
    {
        Assert.That(() => Resampler.Between(0, 16000), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Resampler.Between(16000, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Resampler.Between(999, 16000),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("999 Hz is not raised to 16000"));
        Assert.That(Resampler.Between(1000, 16000).Apply(new float[10]), Has.Length.EqualTo(160));
    }

    [Test]
    public void A_clip_that_has_the_rate_is_given_back()
    {
        var clip = new AudioClip([1, 2, 3], 16000);
        Assert.That(Resampler.Resample(clip, 16000), Is.SameAs(clip));
    }

    [Test]
    public void Threads_that_share_a_filter_get_the_same_bits()
    {
        var random = new Random(3);
        var x = Enumerable.Range(0, 3000).Select(_ => (float)random.NextDouble() - 0.5f).ToArray();
        var all = new float[8][];
        Parallel.For(0, 8, i => all[i] = Resampler.Between(32001, 16000).Apply(x));
        foreach (var y in all) Assert.That(y, Is.EqualTo(all[0]));
    }
}
