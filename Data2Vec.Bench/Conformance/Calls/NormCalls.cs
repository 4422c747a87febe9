using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>Normalisations, by PyTorch's names.</summary>
internal static class NormCalls
{
    private const string OwnWidth = "LayerNorm takes its width from x: no argument could differ from it";

    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["layer_norm"] = c => [Normalised(c)];
        calls["native_layer_norm"] = c => [Normalised(c), .. Statistics(c)];
        calls["group_norm"] = GroupNormOf;
        calls["instance_norm"] = InstanceNormOf;
    }

    private static double Eps(OpCall c) => c.Number("eps", 1e-5);

    /// <summary>Several normalised dimensions are one after reshaping; scale and shift are reshaped alike.</summary>
    private static Tensor Normalised(OpCall c)
    {
        var (x, dimensions) = (c["input"], c.Integers("normalized_shape")!);
        var rows = x.Shape.Rank - dimensions.Length;
        if (dimensions.Length == 0 || rows < 0 || x.Shape.Slice(rows, dimensions.Length) != new Shape(dimensions))
            throw new SignatureException(OwnWidth);
        static Tensor? Flat(Tensor? t) => t is null || t.Shape.Rank == 1 ? t : Reshape(t, new Shape((int)t.Count));
        c.Ignore("weight", "bias");
        var width = dimensions.Aggregate(1, (a, d) => a * d);
        var outer = width == 0 ? 0 : (int)(x.Count / width);
        var y = LayerNorm(dimensions.Length == 1 ? x : Reshape(x, new Shape(outer, width)),
            Flat(c.Maybe("weight")), Flat(c.Maybe("bias")), eps: Eps(c));
        return Reshape(y, x.Shape);
    }

    /// <summary>Mean and 1 / sqrt(variance + eps), which the kernel keeps to itself, by reductions.</summary>
    private static Tensor[] Statistics(OpCall c)
    {
        var x = c["input"].Detach();
        var count = c.Integers("normalized_shape")!.Length;
        int[] last = [.. Enumerable.Range(x.Shape.Rank - count, count)];
        var mean = Mean(x, last, keepDimensions: true);
        return [mean, Unary(UnaryOp.Rsqrt, Affine(Variance(x, last, 0, keepDimensions: true), 1, Eps(c)))];
    }

    /// <summary>Channels first in PyTorch, everything behind them is time; channels last in the engine.</summary>
    private static Tensor[] GroupNormOf(OpCall c)
    {
        var x = c["input"];
        var (groups, eps) = (c.Integer("num_groups", 1), Eps(c));
        var (gamma, beta) = (c.Maybe("weight"), c.Maybe("bias"));
        if (x.Shape.Rank < 2) return [GroupNorm(x, gamma, beta, groups, eps)];
        var time = (int)x.Shape.Slice(2, x.Shape.Rank - 2).Count;
        var frames = Permute(Reshape(x, new Shape(x.Shape[0], x.Shape[1], time)), 0, 2, 1);
        return [Reshape(Permute(GroupNorm(frames, gamma, beta, groups, eps), 0, 2, 1), x.Shape)];
    }

    /// <summary>Channels first in PyTorch, channels last in the engine.</summary>
    private static Tensor[] InstanceNormOf(OpCall c)
    {
        var x = c["input"];
        if (c.Maybe("running_mean") is not null || c.Maybe("running_var") is not null)
            throw new NotExpressibleException("the engine's instance norm keeps no running statistics");
        if (!c.Flag("use_input_stats", true)) throw new NotExpressibleException("there are no running statistics");
        if (x.Shape.Rank < 3) throw new NotExpressibleException("instance norm needs a batch and a time");
        var (batch, channels) = (x.Shape[0], x.Shape[1]);
        var time = (int)x.Shape.Slice(2, x.Shape.Rank - 2).Count;
        if (time == 1)
        {
            throw new NotExpressibleException(
                "the engine has no instance norm that refuses one frame: instance_norm_time demands 0 for it");
        }
        c.Ignore("momentum");
        var y = InstanceNorm(Permute(Reshape(x, new Shape(batch, channels, time)), 0, 2, 1), Eps(c));
        if (c.Maybe("weight") is { } weight) y = Mul(y, weight);
        if (c.Maybe("bias") is { } bias) y = Add(y, bias);
        return [Reshape(Permute(y, 0, 2, 1), x.Shape)];
    }
}
