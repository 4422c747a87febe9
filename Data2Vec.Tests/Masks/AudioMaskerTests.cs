using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Data2Vec.Kernels;
using Data2Vec.Models;
using NUnit.Framework;

namespace Data2Vec.Tests.Masks;

/// <summary>What the recorded suite does not show: refusals, and masks that are a function of the key alone.</summary>
public sealed class AudioMaskerTests
{
    private static readonly SpanMaskConfig Spans = new();

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(7)]
    public void A_seed_gives_the_same_masks_on_any_number_of_threads(int threads)
    {
        var masks = new string[40];
        Parallel.For(0, masks.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, step =>
        {
            PhiloxStream Draws(uint site) => new(new RandomKey(5, (uint)step, 0, site));
            masks[step] = string.Join('/', new[]
            {
                AudioMasker.Mask([199, 150, 77], 199, Spans, Draws(1)),
                FineTuneMasker.Mask([199, 150, 77], 199, 0.05, 10, 2, Draws(2)),
                BlockMasker.Mask(3, new BlockMaskConfig(), Draws(3)),
                GrownBlockMasker.Mask(3, new GrownBlockConfig(14, 14, 0.8, 0.07, 3, Inverse: true), Draws(4)),
            }.Select(m => string.Concat(m.Select(v => v ? '1' : '0'))));
        });
        var hash = Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', masks))));
        Assert.That(hash, Does.StartWith("79F371C771782111"), "masks of a seed must not change between versions");
    }

    [Test]
    public void Exact_counts_are_those_of_the_published_generator_and_of_ours()
    {
        // Recorded: 60 000 rows, with standard errors.
        using var file = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("masks", "statistics.json")));
        var listed = file.RootElement.GetProperty("cases").EnumerateArray()
            .Single(c => c.GetProperty("config").GetProperty("name").GetString() == "audio-T99-B12-free")
            .GetProperty("statistics");
        var (mean, deviation) = SpanCounts.Of(99, Spans);
        Assert.That(mean, Is.EqualTo(Number("mean", 0)).Within(4 * Number("mean", 1)));
        Assert.That(deviation, Is.EqualTo(Number("sd", 0)).Within(4 * Number("sd", 1)));
        // Rows of a batch are independent as long as they are not made equal.
        const int Rows = 4000;
        var free = Spans with { Equalise = SpanEqualisation.None };
        var mask = AudioMasker.Mask(Rows, 99, free, new PhiloxStream(new RandomKey(4, 0, 0, 0)));
        Assert.That(mask.Count(m => m) / (double)Rows,
            Is.EqualTo(mean).Within(4 * deviation / Math.Sqrt(Rows)));

        double Number(string name, int i) => listed.GetProperty(name)[i].GetDouble();
    }

    [Test]
    public void Rows_of_a_batch_have_equal_counts_unless_told_otherwise()
    {
        var mask = AudioMasker.Mask(8, 99, Spans, new PhiloxStream(new RandomKey(1, 0, 0, 0)));
        var free = AudioMasker.Mask(8, 99, Spans with { Equalise = SpanEqualisation.None },
            new PhiloxStream(new RandomKey(1, 0, 0, 0)));
        int[] Counts(bool[] m) => [.. Enumerable.Range(0, 8).Select(r => m.AsSpan(r * 99, 99).Count(true))];
        Assert.That(Counts(mask), Is.All.EqualTo(Counts(free).Min()));
        Assert.That(mask.Zip(free).All(p => !p.First || p.Second), "equal counts only take frames away");
    }

    [Test]
    public void Channels_are_masked_as_frames_are()
    {
        var mask = AudioMasker.Mask(4, 768, new SpanMaskConfig(0.25, 64), new PhiloxStream(new RandomKey(2, 0, 0, 0)));
        Assert.That(mask.Length, Is.EqualTo(4 * 768));
        Assert.That(mask.Count(m => m), Is.InRange(4 * 64, 4 * 4 * 64));
    }

    [TestCase(0)]
    [TestCase(100)]
    public void A_row_longer_than_the_batch_or_empty_is_refused(int length)
    {
        var error = Assert.Throws<ArgumentException>(() =>
            AudioMasker.Mask([50, length], 99, Spans, new PhiloxStream(new RandomKey(1, 0, 0, 0))));
        Assert.That(error.Message, Does.Contain($"row 1 has {length} valid frames; expected 1 to 99"));
    }

    [Test]
    public void A_row_that_would_be_masked_whole_is_refused()
    {
        // Ten frames, one span of ten: the start is 0 or 1 with equal odds.
        var refused = Enumerable.Range(0, 40).Count(step =>
        {
            try
            {
                var draws = new PhiloxStream(new RandomKey(3, (uint)step, 0, 0));
                return !AudioMasker.Mask(1, 10, Spans, draws).Contains(true);
            }
            catch (InvalidOperationException e)
            {
                Assert.That(e.Message, Does.Contain("all 10 valid frames of row 0 would be masked"));
                return true;
            }
        });
        Assert.That(refused, Is.InRange(8, 32));
    }

    [Test]
    public void Settings_without_meaning_are_refused()
    {
        SpanMaskConfig[] wrong =
        [
            Spans with { Probability = -0.1 }, Spans with { Probability = double.NaN }, Spans with { Length = 0 },
            Spans with { MinimumSpans = -1 }, Spans with { Dropout = 1 },
        ];
        foreach (var config in wrong)
            Assert.Throws<ArgumentException>(config.Check, config.ToString());
        var draws = new PhiloxStream(new RandomKey(1, 0, 0, 0));
        Assert.That(() => FineTuneMasker.Mask([9], 9, 0.05, 10, 2, draws),
            Throws.ArgumentException.With.Message.Contains("a span has 10 frames and a row 9"));
        Assert.That(() => FineTuneMasker.Mask([20], 19, 0.05, 10, 2, draws), Throws.ArgumentException);
    }
}
