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
        {
            calls[name] = c =>
            {
                c.RefuseOtherResult();
                return [Reduce(op, c["input"], Dimensions(c), c.Flag("keepdim"))];
            };
        }
        calls["var"] = c => [Variance(c["input"], Dimensions(c), Correction(c), c.Flag("keepdim"))];
        calls["std"] = c => [StandardDeviation(c["input"], Dimensions(c), Correction(c), c.Flag("keepdim"))];
        calls["norm"] = c => [Norm(c["input"], c.Number("p", 2), Dimensions(c), c.Flag("keepdim"))];
        calls["cumsum"] = c => [CumulativeSum(c["input"], c.Integer("dim", 0))];
        calls["cosine_similarity"] = c =>
            [CosineSimilarity(c["x1"], c["x2"], c.Integer("dim", 1), c.Number("eps", 1e-8))];
        calls["topk"] = c => Best(c);
        calls["softmax"] = c => [Softmax(c["input"], c.Integer("dim", -1))];
        calls["log_softmax"] = c => [LogSoftmax(c["input"], c.Integer("dim", -1))];
    }

    private static Tensor[] Best(OpCall c)
    {
        c.Ignore("sorted");
        var (values, indices) = TopK(c["input"], c.Integer("k", 1), c.Integer("dim", -1), c.Flag("largest", true));
        return [values, indices];
    }

    /// <summary>The reductions of the project's own cases, named by an argument.</summary>
    public static Tensor[] Named(OpCall c)
    {
        var x = c["input"];
        Tensor Over(ReduceOp op) => Reduce(op, x, Dimensions(c), c.Flag("keepdim"));
        Tensor Spread(double correction) => Variance(x, Dimensions(c), correction, c.Flag("keepdim"));
        Tensor Deviation(double correction) => StandardDeviation(x, Dimensions(c), correction, c.Flag("keepdim"));
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
            "std" => [Deviation(0)],
            "std_unbiased" => [Deviation(1)],
            "norm" => [Norm(x, 2, Dimensions(c), c.Flag("keepdim"))],
            var other => throw new NotExpressibleException($"there is no reduction \"{other}\""),
        };
    }

    private static int[] Dimensions(OpCall c) => c.Integers("dim") ?? [];

    private static double Correction(OpCall c) =>
        c.Given("unbiased") ? (c.Flag("unbiased") ? 1 : 0) : c.Number("correction", 1);
}
