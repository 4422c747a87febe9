using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;
using NUnit.Framework;

namespace Data2Vec.Tests.Data.Images;

/// <summary>Mixing of batches beyond the recorded runs of the suite `pretrain-vision`.</summary>
public sealed class ImageMixingTests
{
    [Test]
    public void Each_image_is_mixed_with_the_one_from_the_other_end()
    {
        using var device = Device.Parse("reference");
        using var scope = device.Scope();
        double[] values = [1, 2, 3];
        var images = Tensor.FromDoubles(device, values, new Shape(3, 1, 1, 1), DType.Float64);
        var (mixed, share) = ImageMixing.Mix(images, new ImageMix(0.75));
        Assert.That(mixed.ToDoubles(), Is.EqualTo(new[] { 1.5, 2, 2.5 }));
        Assert.That(share, Is.EqualTo(0.75));
    }

    [Test]
    public void A_box_is_cut_off_at_the_edges_and_its_area_decides_the_share()
    {
        using var device = Device.Parse("reference");
        using var scope = device.Scope();
        var values = Enumerable.Range(0, 2 * 4 * 6).Select(i => i < 24 ? 0.0 : 1).ToArray();
        var images = Tensor.FromDoubles(device, values, new Shape(2, 4, 6, 1), DType.Float64);
        // r = 0.5: a box of 2 x 3 pixels, of which half the width, rounded down, lies on either side of the centre.
        var (mixed, share) = ImageMixing.Mix(images, new ImageMix(0.75, Cut: true, CentreY: 0, CentreX: 5));
        double[] first = [0, 0, 0, 0, 1, 1, .. new double[18]];
        Assert.That(mixed.ToDoubles(), Is.EqualTo([.. first, .. first.Select(v => 1 - v)]));
        Assert.That(share, Is.EqualTo(1 - 2.0 / 24));
    }

    [Test]
    public void Targets_are_probabilities()
    {
        var targets = ImageMixing.Targets([0, 2, 2], classes: 4, share: 0.75, smoothing: 0.2);
        foreach (var row in targets.Chunk(4)) Assert.That(row.Sum(), Is.EqualTo(1).Within(1e-12));
        Assert.That(targets[0], Is.EqualTo(0.75 * 0.85 + 0.25 * 0.05).Within(1e-12));
        Assert.That(targets[2], Is.EqualTo(0.75 * 0.05 + 0.25 * 0.85).Within(1e-12));
        Assert.That(targets[6], Is.EqualTo(0.85).Within(1e-12), "the middle image is its own partner");
    }

    [TestCase(0.8, 0)]
    [TestCase(0, 1)]
    [TestCase(2.5, 0)]
    public void Shares_have_the_moments_of_a_symmetric_beta(double mixup, double cut)
    {
        var alpha = Math.Max(mixup, cut);
        var draws = new PhiloxStream(new RandomKey(1, 0, 0, 0));
        const int n = 20_000;
        var shares = Enumerable.Range(0, n)
            .Select(_ => ImageMixing.Draw(new ImageMixConfig(mixup, cut), 8, 8, draws)!.Value.Share).ToArray();
        var variance = 1 / (4 * (2 * alpha + 1));
        var mean = shares.Average();
        Assert.That(mean, Is.EqualTo(0.5).Within(4 * Math.Sqrt(variance / n)));
        // The fourth central moment of a variable in [0, 1] is below its variance / 4.
        Assert.That(shares.Average(s => (s - mean) * (s - mean)),
            Is.EqualTo(variance).Within(4 * Math.Sqrt(variance / 4 / n)));
    }

    [Test]
    public void Mixing_happens_as_often_as_asked()
    {
        var draws = new PhiloxStream(new RandomKey(2, 0, 0, 0));
        var config = new ImageMixConfig(Probability: 0.6, SwitchProbability: 0.25);
        var mixes = Enumerable.Range(0, 10_000).Select(_ => ImageMixing.Draw(config, 5, 7, draws)).ToArray();
        var mixed = mixes.Where(m => m is not null).Select(m => m!.Value).ToArray();
        Assert.That(mixed.Length, Is.EqualTo(6000).Within(4 * Math.Sqrt(10_000 * 0.6 * 0.4)));
        var cuts = mixed.Where(m => m.Cut).ToArray();
        Assert.That(cuts.Length, Is.EqualTo(0.25 * mixed.Length).Within(4 * Math.Sqrt(mixed.Length * 0.25 * 0.75)));
        Assert.That(cuts.Select(c => c.CentreY).Distinct(), Is.EquivalentTo(Enumerable.Range(0, 5)));
        Assert.That(cuts.Select(c => c.CentreX).Distinct(), Is.EquivalentTo(Enumerable.Range(0, 7)));
        Assert.That(ImageMixing.Draw(new ImageMixConfig(0, 0), 5, 7, draws), Is.Null);
    }
}
