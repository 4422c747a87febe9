using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>Losses, by PyTorch's names.</summary>
internal static class LossCalls
{
    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["smooth_l1_loss"] = SmoothL1Loss;
        calls["huber_loss"] = Huber;
        calls["l1_loss"] = c => [Reduced(c, Unary(UnaryOp.Abs, Difference(c)))];
        calls["mse_loss"] = c => [Reduced(c, Square(Difference(c)))];
        calls["binary_cross_entropy_with_logits"] = c => [BinaryCrossEntropyWithLogits(
            c["input"], c["target"], c.Maybe("weight"), c.Maybe("pos_weight"), ReductionOf(c))];
        calls["cross_entropy"] = CrossEntropyOf;
        calls["nll_loss"] = NegativeLogLikelihood;
        calls["kl_div"] = KullbackLeibler;
    }

    public static Reduction ReductionOf(OpCall c) => c.Word("reduction", "mean") switch
    {
        "none" => Reduction.None,
        "sum" => Reduction.Sum,
        "mean" => Reduction.Mean,
        "per_row" => Reduction.PerRow,
        _ => throw new SignatureException("a reduction is an enumeration"),
    };

    private static Tensor Difference(OpCall c) => Sub(c["input"], c["target"]);

    private static Tensor Reduced(OpCall c, Tensor loss) => ReductionOf(c) switch
    {
        Reduction.Sum => Sum(loss),
        Reduction.Mean => Mean(loss),
        _ => loss,
    };

    /// <summary>PyTorch's beta 0 means L1, the engine's means L2.</summary>
    public static Tensor[] SmoothL1Loss(OpCall c)
    {
        var beta = c.Number("beta", 1);
        if (beta == 0) return [Reduced(c, Unary(UnaryOp.Abs, Difference(c)))];
        return [SmoothL1(c["input"], c["target"], beta: beta, reduction: ReductionOf(c))];
    }

    /// <summary>delta times Smooth L1.</summary>
    private static Tensor[] Huber(OpCall c)
    {
        var delta = c.Number("delta", 1);
        if (delta == 0) throw new NotExpressibleException("beta 0 is L2 in the engine");
        return [SmoothL1(c["input"], c["target"], beta: delta, reduction: ReductionOf(c), scale: delta)];
    }

    /// <summary>[N, C, ...] to [N, ..., C]: PyTorch's class dimension is the second, the engine's the last.</summary>
    private static Tensor ClassesLast(Tensor x)
    {
        if (x.Shape.Rank <= 2) return x;
        return Permute(x, [0, .. Enumerable.Range(2, x.Shape.Rank - 2), 1]);
    }

    private static Tensor[] CrossEntropyOf(OpCall c)
    {
        var (logits, target) = (ClassesLast(c["input"]), c["target"]);
        var smoothing = c.Number("label_smoothing", 0);
        if (!target.DType.IsFloat())
        {
            var ignored = c.Integer("ignore_index", -100);
            return [CrossEntropy(logits, target, c.Maybe("weight"), smoothing, ignored, ReductionOf(c))];
        }
        c.Ignore("ignore_index");
        if (smoothing != 0) throw new NotExpressibleException("probabilities as targets are not smoothed");
        var weighted = Mul(LogSoftmax(logits), ClassesLast(target));
        if (c.Maybe("weight") is { } weight) weighted = Mul(weighted, weight);
        var loss = Neg(Sum(weighted, [-1]));
        return [Reduced(c, loss)];
    }

    private static Tensor[] NegativeLogLikelihood(OpCall c)
    {
        var (x, target, weight) = (c["input"], c["target"], c.Maybe("weight"));
        var ignored = c.Integer("ignore_index", -100);
        var rows = x.Shape.Rank == 1 ? Reshape(x, new Shape(1, x.Shape[0])) : ClassesLast(x);
        var classes = rows.Shape[-1];
        var chosen = OpCall.Host(target);
        if (Array.Exists(chosen, t => t != ignored && (t < 0 || t >= classes)))
            throw new NotExpressibleException("picking log-probabilities is GatherRows with indices of the caller");
        var weights = weight?.ToDoubles();
        var factors = Array.ConvertAll(chosen, t => t == ignored ? 0 : weights?[(int)t] ?? 1);
        var flat = new int[chosen.Length];
        for (var i = 0; i < flat.Length; i++) flat[i] = i * classes + (chosen[i] == ignored ? 0 : (int)chosen[i]);
        var single = Reshape(rows, new Shape((int)rows.Count, 1));
        var picked = GatherRows(single, Tensor.From<int>(c.Device, flat, target.Shape));
        var loss = Neg(Mul(Reshape(picked, target.Shape), c.Constant(factors, target.Shape)));
        return ReductionOf(c) switch
        {
            Reduction.None => [loss],
            Reduction.Sum => [Sum(loss)],
            _ => [Affine(Sum(loss), 1 / factors.Sum())],
        };
    }

    private static Tensor[] KullbackLeibler(OpCall c)
    {
        var (x, target) = (c["input"], c["target"]);
        if (!c.Flag("log_target"))
            throw new NotExpressibleException("t log t at t = 0 has no derivative in the engine");
        var loss = Mul(Exp(target), Sub(target, x));
        if (c.Word("reduction", "mean") == "batchmean") return [Affine(Sum(loss), 1.0 / x.Shape[0])];
        return [Reduced(c, loss)];
    }
}
