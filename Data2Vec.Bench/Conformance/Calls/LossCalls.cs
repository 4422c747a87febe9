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
        calls["huber_loss"] = c => [Huber(c["input"], c["target"], c.Number("delta", 1), ReductionOf(c))];
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
        var chosen = OpCall.Host(target);
        var weights = weight?.ToDoubles();
        var places = Array.ConvertAll(chosen, t => t == ignored ? 0 : t);
        var factors = Array.ConvertAll(chosen, t => t == ignored ? 0
            : weights is not null && t >= 0 && t < weights.Length ? weights[t] : 1);
        var picked = Gather(rows, -1, Tensor.From<long>(c.Device, places, rows.Shape.With(-1, 1)));
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
        var (x, target, logarithms) = (c["input"], c["target"], c.Flag("log_target"));
        return c.Word("reduction", "mean") == "batchmean"
            ? [Affine(KlDivergence(x, target, logarithms, Reduction.Sum), 1.0 / x.Shape[0])]
            : [KlDivergence(x, target, logarithms, ReductionOf(c))];
    }
}
