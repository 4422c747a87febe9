using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>How often and how strongly images of a fine-tuning batch are mixed.</summary>
/// <param name="MixupAlpha">Both shape parameters of mixup's share; 0 = no mixup.</param>
/// <param name="CutMixAlpha">Both shape parameters of CutMix's share; 0 = no CutMix.</param>
/// <param name="Probability">Probability that a batch is mixed.</param>
/// <param name="SwitchProbability">Probability of CutMix where both are on.</param>
public sealed record ImageMixConfig(
    double MixupAlpha = 0.8, double CutMixAlpha = 1, double Probability = 1, double SwitchProbability = 0.5);

/// <summary>How one batch is mixed.</summary>
/// <param name="Share">Weight of an image beside its partner's, before a box is rounded to pixels.</param>
/// <param name="Cut">CutMix: a box is taken from the partner; else mixup: both are added.</param>
/// <param name="CentreY">Centre of the box, in pixels from the top.</param>
/// <param name="CentreX">Centre of the box, in pixels from the left.</param>
public readonly record struct ImageMix(double Share, bool Cut = false, int CentreY = 0, int CentreX = 0);

/// <summary>
/// Mixes each image of a batch with the one at the same place from the end, and their labels alike: mixup adds them
/// with weights s and 1 - s; CutMix takes a box of int(H r) x int(W r) pixels, r = sqrt(1 - s), around a point from the
/// partner, cut off at the edges, and corrects s to the area that is left. Source: Zhang et al. 2018; Yun et al. 2019;
/// timm 0.4.12, mixup.py (batch mode).
/// </summary>
public static class ImageMixing
{
    /// <summary>Draws how a batch is mixed; null = not at all.</summary>
    /// <param name="config">How often and how strongly.</param>
    /// <param name="height">Pixels from top to bottom.</param>
    /// <param name="width">Pixels from left to right.</param>
    /// <param name="draws">Where draws come from; consumed in a fixed order.</param>
    public static ImageMix? Draw(ImageMixConfig config, int height, int width, IDraws draws)
    {
        if (config is { MixupAlpha: <= 0, CutMixAlpha: <= 0 } || draws.NextDouble() >= config.Probability) return null;
        var cut = config.MixupAlpha <= 0
            || (config.CutMixAlpha > 0 && draws.NextDouble() < config.SwitchProbability);
        var share = SymmetricBeta(cut ? config.CutMixAlpha : config.MixupAlpha, draws);
        return cut ? new(share, true, draws.NextInt(height), draws.NextInt(width)) : new(share);
    }

    /// <summary>The mixed images, and each image's weight beside its partner's.</summary>
    /// <param name="images">[B, H, W, C].</param>
    /// <param name="mix">How.</param>
    public static (Tensor Images, double Share) Mix(Tensor images, ImageMix mix)
    {
        var shape = images.Shape;
        var (batch, height, width) = (shape[0], shape[1], shape[2]);
        int[] reversed = [.. Enumerable.Range(0, batch).Reverse()];
        var partners = Ops.GatherRows(Ops.Reshape(images, new Shape(batch, (int)(shape.Count / Math.Max(1, batch)))),
            Tensor.From<int>(images.Device, reversed, new Shape(batch)));
        partners = Ops.Reshape(partners, shape);
        if (!mix.Cut)
            return (Ops.Add(Ops.Affine(images, mix.Share), Ops.Affine(partners, 1 - mix.Share)), mix.Share);
        var box = Box(mix, height, width);
        var inside = new bool[height * width];
        for (var y = box.Top; y < box.Bottom; y++)
            inside.AsSpan(y * width + box.Left, box.Right - box.Left).Fill(true);
        var condition = Tensor.From<bool>(images.Device, inside, new Shape(height, width, 1));
        var area = (box.Bottom - box.Top) * (box.Right - box.Left);
        return (Ops.Where(condition, partners, images), 1 - (double)area / (height * width));
    }

    /// <summary>
    /// Probabilities [B, C] of the classes: off = smoothing / C everywhere, 1 - smoothing + off at the label; weighted
    /// by share with those of the partner.
    /// </summary>
    /// <param name="labels">Class of each image.</param>
    /// <param name="classes">Number of classes C.</param>
    /// <param name="share">Weight of an image beside its partner's; 1 = not mixed.</param>
    /// <param name="smoothing">Label smoothing.</param>
    public static double[] Targets(ReadOnlySpan<int> labels, int classes, double share, double smoothing)
    {
        var targets = new double[labels.Length * classes];
        var off = smoothing / classes;
        var on = 1 - smoothing + off;
        for (var b = 0; b < labels.Length; b++)
        {
            var partner = labels[labels.Length - 1 - b];
            for (var c = 0; c < classes; c++)
            {
                var (own, other) = (labels[b] == c ? on : off, partner == c ? on : off);
                targets[b * classes + c] = share * own + (1 - share) * other;
            }
        }
        return targets;
    }

    private static (int Top, int Bottom, int Left, int Right) Box(ImageMix mix, int height, int width)
    {
        var side = Math.Sqrt(1 - mix.Share);
        var (y, x) = ((int)(height * side) / 2, (int)(width * side) / 2);
        return (Math.Clamp(mix.CentreY - y, 0, height), Math.Clamp(mix.CentreY + y, 0, height),
            Math.Clamp(mix.CentreX - x, 0, width), Math.Clamp(mix.CentreX + x, 0, width));
    }

    /// <summary>
    /// Beta(a, a): u^(1/a) / (u^(1/a) + v^(1/a)) of the first pair whose sum is at most 1 (Jöhnk 1964).
    /// </summary>
    private static double SymmetricBeta(double alpha, IDraws draws)
    {
        while (true)
        {
            var x = Math.Pow(draws.NextDouble(), 1 / alpha);
            var y = Math.Pow(draws.NextDouble(), 1 / alpha);
            if (x + y is > 0 and <= 1) return x / (x + y);
        }
    }
}
