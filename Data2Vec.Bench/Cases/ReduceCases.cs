using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Sums, means, extremes, variances over chosen dimensions.</summary>
internal static class ReduceCases
{
    private const string Op = nameof(IBackend.Reduce);

    public static IEnumerable<OpCase> Cases =>
    [
        // Every reduction over the last, the first, a middle and all dimensions.
        .. Smooth.SelectMany(op => EveryWay(op, Normal("x", 3, 5, 19))),
        .. Extremes.SelectMany(op => EveryWay(op, Distinct("x", 3, 5, 19))),
        .. Positions.SelectMany(op => EveryWay(op, Distinct("x", 3, 5, 19).Constant())),
        // So long that devices cut them into parts, and so the parts must be put together again.
        .. Smooth.SelectMany(op => LongWays(op, Normal("rows", 2, 4501), Normal("columns", 150, 33))),
        .. Positions.SelectMany(op => LongWays(op, Distinct("rows", 2, 4501).Constant(), Distinct("columns", 150, 33).Constant())),

        Of(ReduceOp.Sum, Normal("x", 3, 4, 5), "Sum, two dimensions apart", 15, 0, 2),
        Of(ReduceOp.Sum, Normal("x"), "Sum, scalar", 1),
        Of(ReduceOp.Sum, Normal("x", 4, 0), "Sum, of nothing", 1, 1),
        Of(ReduceOp.Sum, Normal("x", 0, 4), "Sum, for nothing", 1, 1),
        Of(ReduceOp.Sum, Normal("x", 3), "Sum, below a vector", 3),
        Of(ReduceOp.Sum, Normal("x", 5003), "Sum, several chunks", 5003),
        Of(ReduceOp.Mean, Normal("x", 2, 0), "Mean, of nothing", 1, 1, noProof: "the mean of nothing is NaN"),
        Of(ReduceOp.Max, Tied, "Max, ties and NaN", 3, 1, noProof: "ties are kinks"),
        Of(ReduceOp.Min, Tied, "Min, ties and NaN", 3, 1, noProof: "ties are kinks"),
        Of(ReduceOp.ArgMax, Tied.Constant(), "ArgMax, ties and NaN", 3, 1),
        Of(ReduceOp.ArgMin, Tied.Constant(), "ArgMin, ties and NaN", 3, 1),
        Of(ReduceOp.LogSumExp, Uniform("x", 90, 120, 3, 17), "LogSumExp, where exp overflows", 17, 1),
        Of(ReduceOp.LogSumExp, Given("x", [float.NegativeInfinity, float.NegativeInfinity, 1, float.NegativeInfinity], 2, 2).Constant(),
            "LogSumExp, -inf", 2, 1),
        new(Op, "Variance, biased")
        {
            Inputs = [Normal("x", 3, 17)], Run = o => Ops.Variance(o[0], [1], correction: 0), ReductionLength = 17,
            Composite = o => Ops.Mean(Ops.Square(Ops.Sub(o[0], Ops.Mean(o[0], [1], keepDimensions: true))), [1]),
        },
        new(Op, "Variance, kept dimensions")
        {
            Inputs = [Normal("x", 3, 17, 2)], Run = o => Ops.Variance(o[0], [1], keepDimensions: true), ReductionLength = 17,
            Composite = o => Ops.Affine(Ops.Mean(Ops.Square(Ops.Sub(o[0], Ops.Mean(o[0], [1], true))), [1], true), 17.0 / 16),
        },
        new(Op, "Sum, contributions add")
        {
            Inputs = [Normal("x", 4, 3), Normal("y", 3)], ReductionLength = 8,
            Run = o => Ops.Add(Ops.Mul(o[0], o[1]), Ops.Sub(o[0], o[1])),
        },
        Of(ReduceOp.Sum, Normal("x", 512, 768), "Sum, rows of base", 512, CaseSize.Real, 0),
        Of(ReduceOp.SumOfSquares, Normal("x", 512, 768), "SumOfSquares, hidden of base", 512 * 768, CaseSize.Real),
        Of(ReduceOp.Mean, Normal("x", 4, 128, 768), "Mean, pooling of base", 128, CaseSize.Real, 1),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "no such dimension", "no dimension 2", [Normal("x", 3, 4)], o => Ops.Sum(o[0], [2])),
        new(Op, "a dimension named twice", "twice", [Normal("x", 3, 4)], o => Ops.Sum(o[0], [1, -1])),
        new(Op, "the maximum of nothing", "has no value", [Normal("x", 3, 0)], o => Ops.Max(o[0], [1])),
        new(Op, "integers", "floating-point", [Index("x", 3, 3)], o => Ops.Sum(o[0])),
    ];

    private static ReduceOp[] Smooth => [ReduceOp.Sum, ReduceOp.Mean, ReduceOp.SumOfSquares, ReduceOp.Variance, ReduceOp.LogSumExp];

    private static ReduceOp[] Extremes => [ReduceOp.Max, ReduceOp.Min];

    private static ReduceOp[] Positions => [ReduceOp.ArgMax, ReduceOp.ArgMin];

    private static Input Tied => Given("x", [1f, 3, 3, float.NaN, 2, float.NaN, -1, -1, -1], 3, 3);

    private static IEnumerable<OpCase> EveryWay(ReduceOp op, Input x) =>
    [
        Of(op, x, $"{op}, last", 19, -1),
        Of(op, x, $"{op}, first", 3, 0),
        Of(op, x, $"{op}, middle", 5, 1),
        Of(op, x, $"{op}, all", 285),
    ];

    private static IEnumerable<OpCase> LongWays(ReduceOp op, Input rows, Input columns) =>
    [
        Of(op, rows, $"{op}, long rows", 4501, 1),
        Of(op, columns, $"{op}, long columns", 150, 0),
    ];

    private static OpCase Of(ReduceOp op, Input x, string name, long reduction, params int[] dimensions) =>
        new(Op, name) { Inputs = [x], Run = o => Reduced(op, o[0], dimensions), ReductionLength = reduction };

    private static OpCase Of(ReduceOp op, Input x, string name, long reduction, int dimension, string noProof) =>
        new(Op, name) { Inputs = [x], Run = o => Reduced(op, o[0], [dimension]), ReductionLength = reduction, NoGradientProof = noProof };

    private static OpCase Of(ReduceOp op, Input x, string name, long reduction, CaseSize size, params int[] dimensions) =>
        new(Op, name) { Size = size, Inputs = [x], Run = o => Reduced(op, o[0], dimensions), ReductionLength = reduction };

    private static Tensor Reduced(ReduceOp op, Tensor x, int[] dimensions) =>
        Ops.Reduce(op, x, dimensions, keepDimensions: false, op == ReduceOp.Variance ? 1 : 0);
}
