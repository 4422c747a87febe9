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
    /// <summary>
    /// What the feed-forward block adds to the residual: with layer scale, before the sum (vision, option).
    /// </summary>
    Branch,
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
    bool FinalLayerNorm = false, bool FinalInstanceNorm = false, TargetTap Tap = TargetTap.FeedForward)
{
    /// <summary>Per layer, between instance and layer norm: every sample over time and channels together.</summary>
    public bool GroupNorm { get; init; }

    /// <summary>The instance norm after averaging comes before the layer norm (vision code).</summary>
    public bool FinalInstanceNormFirst { get; init; }

    /// <summary>Layers averaged, from 0, instead of the top K; null = the top K.</summary>
    public IReadOnlyList<int>? Layers { get; init; }

    /// <summary>
    /// The first position of every sample is a class token: it is no part of statistics over time, and its target is 0.
    /// </summary>
    public bool ClassToken { get; init; }

    /// <summary>
    /// Norms over time run over the samples of a batch instead, and the group norm over samples and channels: what the
    /// published speech code does when no layer is batch- or instance-normalised. For comparison with it only.
    /// </summary>
    public bool TimeFirst { get; init; }
}

/// <summary>Averages normalised teacher layers. Source: Baevski et al. 2022, section 3.3.</summary>
public static class TargetBuilder
{
    private const double Eps = 1e-5;

    /// <summary>Targets [B, T, D] from an encoder output that was collected.</summary>
    /// <exception cref="ArgumentException">There are fewer layers than are to be averaged.</exception>
    public static Tensor Build(EncoderOutput teacher, TargetRecipe recipe) =>
        Build(recipe.Tap switch
        {
            TargetTap.Block => [.. teacher.Hidden.Skip(1)],
            TargetTap.Branch => teacher.Branches,
            _ => teacher.Taps,
        }, recipe);

    /// <summary>Targets [B, T, D] from the taps of all layers, each [B, T, D].</summary>
    /// <exception cref="ArgumentException">There are fewer layers than are to be averaged.</exception>
    public static Tensor Build(IReadOnlyList<Tensor> taps, TargetRecipe recipe)
    {
        var layers = LayersOf(recipe, taps.Count);
        // The one pass has no derivative; training wants none, and who does gets the operations one by one.
        if (!layers.Any(i => taps[i].IsTracked) && InOnePass(recipe, layers.Count) is { } norm)
        {
            var positions = layers.Select(i => recipe.ClassToken ? Ops.Slice(taps[i], 1, 1) : taps[i]);
            return WithClassToken(Ops.Targets([.. positions], norm, recipe.FinalLayerNorm, Eps), recipe);
        }
        Tensor? sum = null;
        foreach (var i in layers)
        {
            var layer = Normalise(taps[i], recipe);
            sum = sum is null ? layer : Ops.Add(sum, layer);
        }
        var y = Turned(layers.Count == 1 ? sum! : Ops.Affine(sum!, 1.0 / layers.Count), recipe);
        if (recipe is { FinalInstanceNorm: true, FinalInstanceNormFirst: true }) y = Ops.InstanceNorm(y, Eps);
        if (recipe.FinalLayerNorm) y = Ops.LayerNorm(y, null, null, eps: Eps);
        if (recipe is { FinalInstanceNorm: true, FinalInstanceNormFirst: false }) y = Ops.InstanceNorm(y, Eps);
        return WithClassToken(Turned(y, recipe), recipe);
    }

    /// <summary>One layer [B, T, D] under the per-layer norms of the recipe, without its class token.</summary>
    public static Tensor Normalise(Tensor x, TargetRecipe recipe)
    {
        // Norms, the mean over layers and the loss are computed in float32 at least, whatever the layers were.
        if (x.DType == DType.BFloat16) x = Ops.Cast(x, DType.Float32);
        if (recipe.ClassToken) x = Ops.Slice(x, 1, 1);
        x = Turned(x, recipe);
        var (b, t, d) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        if (recipe.BatchNorm)
            x = Ops.Reshape(Ops.InstanceNorm(Ops.Reshape(x, new Shape(1, b * t, d)), Eps), new Shape(b, t, d));
        if (recipe.InstanceNorm) x = Ops.InstanceNorm(x, Eps);
        if (recipe.GroupNorm) x = Ops.GroupNorm(x, null, null, groups: 1, eps: Eps);
        if (recipe.LayerNorm) x = Ops.LayerNorm(x, null, null, eps: Eps);
        return Turned(x, recipe);
    }

    /// <summary>The norm of every layer, where the recipe is no more than <see cref="Ops.Targets"/> does; else null.</summary>
    private static TargetNorm? InOnePass(TargetRecipe recipe, int layers) =>
        layers > TargetsArgs.MostLayers || recipe is { BatchNorm: true } or { GroupNorm: true } or { FinalInstanceNorm: true }
            or { TimeFirst: true } or { InstanceNorm: true, LayerNorm: true } ? null
        : recipe.InstanceNorm ? TargetNorm.Instance : recipe.LayerNorm ? TargetNorm.Layer : TargetNorm.None;

    private static Tensor WithClassToken(Tensor y, TargetRecipe recipe) =>
        recipe.ClassToken ? Ops.Pad(y, [(0, 0), (1, 0), (0, 0)]) : y;

    private static IReadOnlyList<int> LayersOf(TargetRecipe recipe, int count)
    {
        if (recipe.Layers is null)
        {
            return recipe.TopLayers >= 1 && recipe.TopLayers <= count
                ? [.. Enumerable.Range(count - recipe.TopLayers, recipe.TopLayers)]
                : throw new ArgumentException(
                    $"Targets average the top {recipe.TopLayers} layers; the teacher has {count}.");
        }
        return recipe.Layers.Count > 0 && recipe.Layers.All(l => l >= 0 && l < count)
            ? recipe.Layers
            : throw new ArgumentException($"Targets average the layers {string.Join(", ", recipe.Layers)}; "
                + $"expected some of 0 to {count - 1}, the teacher's.");
    }

    private static Tensor Turned(Tensor x, TargetRecipe recipe) => recipe.TimeFirst ? Ops.Permute(x, 1, 0, 2) : x;
}
