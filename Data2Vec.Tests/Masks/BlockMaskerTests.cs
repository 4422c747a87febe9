using Data2Vec.Kernels;
using Data2Vec.Models;
using NUnit.Framework;

namespace Data2Vec.Tests.Masks;

/// <summary>Blocks on grids of any shape, and what is refused.</summary>
public sealed class BlockMaskerTests
{
    [TestCase(14, 14, 120)]
    [TestCase(7, 20, 60)]
    [TestCase(20, 7, 60)]
    public void A_batch_is_one_mask_after_another_and_never_above_the_target(int height, int width, int target)
    {
        var config = new BlockMaskConfig(height, width, target, MinimumPatches: 4);
        var batch = BlockMasker.Mask(5, config, new PhiloxStream(new RandomKey(1, 0, 0, 0)));
        var draws = new PhiloxStream(new RandomKey(1, 0, 0, 0));
        bool[] single = [.. Enumerable.Range(0, 5).SelectMany(_ => BlockMasker.Mask(config, draws))];
        Assert.That(batch, Is.EqualTo(single));
        foreach (var image in batch.Chunk(height * width)) Assert.That(image.Count(m => m), Is.InRange(1, target));
    }

    [Test]
    public void A_grid_that_no_block_fits_into_stays_visible()
    {
        // A block never spans the whole height, and one row has no other.
        var mask = BlockMasker.Mask(new BlockMaskConfig(1, 9, 5, 4), new PhiloxStream(new RandomKey(1, 0, 0, 0)));
        Assert.That(mask, Is.All.False);
    }

    [Test]
    public void Settings_without_meaning_are_refused()
    {
        var config = new BlockMaskConfig();
        BlockMaskConfig[] wrong =
        [
            config with { Height = 0 }, config with { Target = 197 }, config with { Target = -1 },
            config with { MinimumPatches = -1 }, config with { MaximumPatches = 0 },
            config with { MinimumAspect = 0 }, config with { MaximumAspect = -1 },
        ];
        foreach (var c in wrong) Assert.Throws<ArgumentException>(c.Check, c.ToString());
        Assert.Throws<ArgumentException>(new GrownBlockConfig(14, 14, 1.1, 0, 3).Check);
        Assert.Throws<ArgumentException>(new GrownBlockConfig(14, 0, 0.8, 0, 3).Check);
    }

    [Test]
    public void Word_lengths_must_add_up_to_the_tokens()
    {
        var rule = new TokenMaskRule(0.5, 1, 0, 0);
        var draws = new PhiloxStream(new RandomKey(1, 0, 0, 0));
        Assert.That(() => TextMasker.Mask([5, 6, 7], 9, 10, rule, draws, [1, 1]),
            Throws.ArgumentException.With.Message.Contains("words have 2 tokens; expected all 3"));
        Assert.That(() => TextMasker.Mask([5, 6, 7], 9, 10, rule, draws, [1, 3]), Throws.ArgumentException);
        var (source, selected) = TextMasker.Mask([5, 6, 7], 9, 10, rule with { Probability = 1 }, draws, [1, 2]);
        Assert.That(source, Is.All.EqualTo(9));
        Assert.That(selected, Is.All.True);
    }
}
