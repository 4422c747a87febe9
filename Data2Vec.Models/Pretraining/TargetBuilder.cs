using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>Which tensor of a teacher layer becomes a target.</summary>
public enum TargetTap
{
    /// <summary>Output of the feed-forward block before dropout and residual (speech, text).</summary>
    FeedForward,
    /// <summary>Output of the whole layer (vision).</summary>
    Block,
}

/// <summary>
/// How the teacher's layers become targets. The norms are applied in the order of the fields, each when asked for, with
/// biased variance, eps 1e-5 and no affine part.
/// </summary>
/// <param name="TopLayers">Number K of layers averaged, counted from the last.</param>
/// <param name="BatchNorm">Per layer: every channel over samples and time.</param>
/// <param name="InstanceNorm">Per layer: every channel of a sample over time.</param>
/// <param name="LayerNorm">Per layer: every position over channels.</param>
/// <param name="FinalLayerNorm">After averaging: every position over channels.</param>
/// <param name="FinalInstanceNorm">After averaging: every channel of a sample over time.</param>
/// <param name="Tap">Which tensor of a layer is taken.</param>
public sealed record TargetRecipe(
    int TopLayers, bool BatchNorm = false, bool InstanceNorm = false, bool LayerNorm = false,
    bool FinalLayerNorm = false, bool FinalInstanceNorm = false, TargetTap Tap = TargetTap.FeedForward);

/// <summary>Averages normalised teacher layers. Source: Baevski et al. 2022, section 3.3.</summary>
public static class TargetBuilder
{
    private const double Eps = 1e-5;

    /// <summary>Targets [B, T, D] from an encoder output that was collected.</summary>
    /// <exception cref="ArgumentException">There are fewer layers than are to be averaged.</exception>
    public static Tensor Build(EncoderOutput teacher, TargetRecipe recipe) =>
        Build(recipe.Tap == TargetTap.Block ? [.. teacher.Hidden.Skip(1)] : teacher.Taps, recipe);

    /// <summary>Targets [B, T, D] from the taps of all layers, each [B, T, D].</summary>
    /// <exception cref="ArgumentException">There are fewer layers than are to be averaged.</exception>
    public static Tensor Build(IReadOnlyList<Tensor> taps, TargetRecipe recipe)
    {
        var k = recipe.TopLayers;
        if (k < 1 || k > taps.Count)
            throw new ArgumentException($"Targets average the top {k} layers; the teacher has {taps.Count}.");
        Tensor? sum = null;
        for (var i = taps.Count - k; i < taps.Count; i++)
        {
            var layer = Normalise(taps[i], recipe);
            sum = sum is null ? layer : Ops.Add(sum, layer);
        }
        var y = k == 1 ? sum! : Ops.Affine(sum!, 1.0 / k);
        if (recipe.FinalLayerNorm) y = Ops.LayerNorm(y, null, null, eps: Eps);
        if (recipe.FinalInstanceNorm) y = Ops.InstanceNorm(y, Eps);
        return y;
    }

    /// <summary>One layer under the per-layer norms of the recipe.</summary>
    public static Tensor Normalise(Tensor x, TargetRecipe recipe)
    {
        var (b, t, d) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        if (recipe.BatchNorm)
            x = Ops.Reshape(Ops.InstanceNorm(Ops.Reshape(x, new Shape(1, b * t, d)), Eps), new Shape(b, t, d));
        if (recipe.InstanceNorm) x = Ops.InstanceNorm(x, Eps);
        if (recipe.LayerNorm) x = Ops.LayerNorm(x, null, null, eps: Eps);
        return x;
    }
}
