using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>Normalisations, by PyTorch's names.</summary>
internal static class NormCalls
{
    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["layer_norm"] = c => [Normalised(c)];
        calls["native_layer_norm"] = c => [Normalised(c), .. Statistics(c)];
        calls["group_norm"] = GroupNormOf;
        calls["instance_norm"] = InstanceNormOf;
        calls["batch_norm"] = BatchNormOf;
    }

    private static double Eps(OpCall c) => c.Number("eps", 1e-5);

    /// <summary>Several normalised dimensions are one after reshaping; scale and shift are reshaped alike.</summary>
    private static Tensor Normalised(OpCall c)
    {
        var (x, dimensions) = (c["input"], c.Integers("normalized_shape")!);
        var rows = x.Shape.Rank - dimensions.Length;
        if (dimensions.Length == 0 || rows < 0 || x.Shape.Slice(rows, dimensions.Length) != new Shape(dimensions))
            throw new SignatureException("LayerNorm takes its width from x");
        static Tensor? Flat(Tensor? t) => t is null ? null : Reshape(t, new Shape((int)t.Count));
        c.Ignore("weight", "bias");
        var width = (int)new Shape(dimensions).Count;
        var flat = Reshape(x, x.Shape.Slice(0, rows).Append(width));
        return Reshape(LayerNorm(flat, Flat(c.Maybe("weight")), Flat(c.Maybe("bias")), eps: Eps(c)), x.Shape);
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
        if (x.Shape.Rank < 2) throw new NotExpressibleException("instance norm needs channels and a time");
        // Without a batch PyTorch takes two dimensions.
        var frames = Frames(x.Shape.Rank == 2 ? Unsqueeze(x, 0) : x);
        if (!c.Flag("use_input_stats", true)) return [Back(Fixed(c, frames), x)];
        if (frames.Shape[1] == 1)
        {
            c.Decision = ("instance norm of one frame is 0, by its formula", outputs =>
                Comparison.Compare("output", outputs[0].ToDoubles(), new double[x.Count], Tolerance.Exact));
        }
        var y = Back(ScaledAndShifted(c, InstanceNorm(frames, Eps(c))), x);
        return [y, .. After(c, Mean(frames, [1]), Variance(frames, [1]))];
    }

    /// <summary>In training, an instance norm of one sample that holds all samples one behind the other.</summary>
    private static Tensor[] BatchNormOf(OpCall c)
    {
        var x = c["input"];
        // PyTorch also takes one dimension alone where the statistics are given: one value a channel.
        if (x.Shape.Rank == 1 && !c.Flag("training")) return [Fixed(c, x)];
        var frames = Frames(x.Shape.Rank == 2 ? Unsqueeze(x, 2) : x);
        if (!c.Flag("training")) return [Back(Fixed(c, frames), x)];
        var all = Reshape(frames, new Shape(1, frames.Shape[0] * frames.Shape[1], frames.Shape[2]));
        if (all.Shape[1] == 1)
        {
            c.Decision = ("a norm over one value is 0, by its formula", outputs =>
                Comparison.Compare("output", outputs[0].ToDoubles(), new double[x.Count], Tolerance.Exact));
        }
        var y = Back(ScaledAndShifted(c, Reshape(InstanceNorm(all, Eps(c)), frames.Shape)), x);
        return [y, .. After(c, Mean(all, [1]), Variance(all, [1]))];
    }

    /// <summary>[B, C, ...] to [B, T, C].</summary>
    private static Tensor Frames(Tensor x) => Permute(Reshape(
        x, new Shape(x.Shape[0], x.Shape[1], (int)x.Shape.Slice(2, x.Shape.Rank - 2).Count)), 0, 2, 1);

    private static Tensor Back(Tensor frames, Tensor x) => Reshape(Permute(frames, 0, 2, 1), x.Shape);

    private static Tensor ScaledAndShifted(OpCall c, Tensor y)
    {
        if (c.Maybe("weight") is { } weight) y = Mul(y, weight);
        return c.Maybe("bias") is { } bias ? Add(y, bias) : y;
    }

    /// <summary>By the running statistics, which then do not change.</summary>
    private static Tensor Fixed(OpCall c, Tensor frames)
    {
        c.Ignore("momentum");
        var root = Unary(UnaryOp.Rsqrt, Affine(c["running_var"], 1, Eps(c)));
        return ScaledAndShifted(c, Mul(Sub(frames, c["running_mean"]), root));
    }

    /// <summary>
    /// Running statistics moved by the momentum towards those of the input, the variance unbiased, which are means over
    /// the samples; none where none are kept.
    /// </summary>
    private static Tensor[] After(OpCall c, Tensor mean, Tensor variance)
    {
        var momentum = c.Number("momentum", 0.1);
        if (c.Maybe("running_mean") is not { } oldMean || c.Maybe("running_var") is not { } oldVariance) return [];
        Tensor Moved(Tensor running, Tensor now) =>
            Add(Affine(running, 1 - momentum), Affine(Mean(now.Detach(), [0]), momentum));
        return [Moved(oldMean, mean), Moved(oldVariance, variance)];
    }
}
