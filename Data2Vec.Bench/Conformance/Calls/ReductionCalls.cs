using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>Reductions and softmax, by PyTorch's names.</summary>
internal static class ReductionCalls
{
    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        foreach (var (name, op) in new (string, ReduceOp)[]
        {
            ("sum", ReduceOp.Sum), ("mean", ReduceOp.Mean), ("amax", ReduceOp.Max), ("amin", ReduceOp.Min),
            ("argmax", ReduceOp.ArgMax), ("argmin", ReduceOp.ArgMin), ("logsumexp", ReduceOp.LogSumExp),
        })
            calls[name] = c => [Reduce(op, c["input"], Dimensions(c), c.Flag("keepdim"))];
        calls["var"] = c => [VarianceOf(c, c["input"])];
        calls["std"] = c => [Root(VarianceOf(c, c["input"]))];
        calls["norm"] = c => [NormOf(c)];
        calls["softmax"] = c => [Softmax(c["input"], c.Integer("dim", -1))];
        calls["log_softmax"] = c => [LogSoftmax(c["input"], c.Integer("dim", -1))];
    }

    /// <summary>The reductions of the project's own cases, named by an argument.</summary>
    public static Tensor[] Named(OpCall c)
    {
        var x = c["input"];
        Tensor Over(ReduceOp op) => Reduce(op, x, Dimensions(c), c.Flag("keepdim"));
        Tensor Spread(double correction) => Variance(x, Dimensions(c), correction, c.Flag("keepdim"));
        return c.Word("op", "") switch
        {
            "sum" => [Over(ReduceOp.Sum)],
            "mean" => [Over(ReduceOp.Mean)],
            "amax" => [Over(ReduceOp.Max)],
            "amin" => [Over(ReduceOp.Min)],
            "argmax" => [Over(ReduceOp.ArgMax)],
            "argmin" => [Over(ReduceOp.ArgMin)],
            "logsumexp" => [Over(ReduceOp.LogSumExp)],
            "var" => [Spread(0)],
            "var_unbiased" => [Spread(1)],
            "std" => [Root(Spread(0))],
            "std_unbiased" => [Root(Spread(1))],
            "norm" => [Root(Over(ReduceOp.SumOfSquares))],
            var other => throw new NotExpressibleException($"there is no reduction \"{other}\""),
        };
    }

    private static int[] Dimensions(OpCall c) => c.Integers("dim") ?? [];

    private static Tensor VarianceOf(OpCall c, Tensor x)
    {
        var correction = c.Given("unbiased") ? (c.Flag("unbiased") ? 1 : 0) : c.Number("correction", 1);
        return Variance(x, Dimensions(c), correction, c.Flag("keepdim"));
    }

    /// <summary>
    /// Square root whose derivative at 0 is 0, as deviations and norms have it: at 0 the root is taken of 1 and put
    /// aside.
    /// </summary>
    private static Tensor Root(Tensor square)
    {
        var zero = Tensor.Full(square.Device, new Shape(), square.DType, 0);
        var isZero = Binary(BinaryOp.Equal, square.Detach(), zero);
        var safe = Where(isZero, Tensor.Full(square.Device, new Shape(), square.DType, 1), square);
        return Where(isZero, zero, Sqrt(safe));
    }

    private static Tensor NormOf(OpCall c)
    {
        var (x, dimensions, keep) = (c["input"], Dimensions(c), c.Flag("keepdim"));
        var p = c.Number("p", 2);
        var magnitude = Unary(UnaryOp.Abs, x);
        if (p == 2) return Root(Reduce(ReduceOp.SumOfSquares, x, dimensions, keep));
        if (p == 1) return Sum(magnitude, dimensions, keep);
        if (double.IsPositiveInfinity(p)) return Max(magnitude, dimensions, keep);
        if (double.IsNegativeInfinity(p)) return Min(magnitude, dimensions, keep);
        var zero = Tensor.Full(x.Device, new Shape(), x.DType, 0);
        if (p == 0)
        {
            var counted = Cast(Binary(BinaryOp.NotEqual, x.Detach(), zero), x.DType);
            // Added times zero, so that the count has the gradient 0 and not none.
            return Sum(Add(counted, Affine(magnitude, 0)), dimensions, keep);
        }
        return Pow(Sum(Pow(magnitude, p), dimensions, keep), 1 / p);
    }
}
