using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Cross-entropy of logits with classes: weights, smoothing, ignored targets.</summary>
internal static class CrossEntropyCases
{
    private const string Op = nameof(IBackend.CrossEntropy);

    public static IEnumerable<OpCase> Cases =>
    [
        .. Enum.GetValues<Reduction>().SelectMany(Every),
        Of("leading dimensions", Normal("x", 2, 3, 7), Index("t", 7, 2, 3), 7),
        Of("two classes", Normal("x", 5, 2), Index("t", 2, 5), 5),
        Of("one class", Normal("x", 5, 1), Index("t", 1, 5), 5),
        Of("many classes", Normal("x", 3, 1031), Index("t", 1031, 3), 1031, smoothing: 0.1),
        Of("logits where exp overflows", Uniform("x", 90, 120, 5, 33), Index("t", 33, 5), 33),
        Of("sum over no rows", Normal("x", 0, 5), Index("t", 5, 0), 5, reduction: Reduction.Sum),
        new(Op, "everything ignored")
        {
            Inputs = [Normal("x", 3, 7), Indices("t", -100, -100, -100)], Run = o => Ops.CrossEntropy(o[0], o[1]),
            NoGradientProof = "the mean over nothing is NaN",
        },
        Of("vocabulary of base", Normal("x", 77, 50265), Index("t", 50265, 77), 50265, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "a class that is not there", "9", [Normal("x", 2, 7), Indices("t", 1, 9)], o => Ops.CrossEntropy(o[0], o[1])),
        new(Op, "another number of targets", "leading dimensions of logits", [Normal("x", 2, 7), Indices("t", 1)], o => Ops.CrossEntropy(o[0], o[1])),
        new(Op, "weights of another length", "weight must have shape (7)", [Normal("x", 2, 7), Indices("t", 1, 2), Normal("w", 6)],
            o => Ops.CrossEntropy(o[0], o[1], o[2])),
        new(Op, "smoothing above 1", "must lie in [0, 1]", [Normal("x", 2, 7), Indices("t", 1, 2)], o => Ops.CrossEntropy(o[0], o[1], labelSmoothing: 1.5)),
        new(Op, "targets that are numbers", "int32 or int64", [Normal("x", 2, 7), Normal("t", 2)], o => Ops.CrossEntropy(o[0], o[1])),
    ];

    private static IEnumerable<OpCase> Every(Reduction reduction) =>
    [
        Of($"{reduction}", Normal("x", 5, 19), Index("t", 19, 5), 19, reduction: reduction),
        Of($"{reduction}, smoothing", Normal("x", 5, 19), Index("t", 19, 5).Wide(), 19, 0.1, reduction: reduction),
        Of($"{reduction}, weights, ignored", Normal("x", 5, 7), Indices("t", 2, -100, 0, 6, -100), 7, 0.2, weighted: true, reduction: reduction),
    ];

    private static OpCase Of(
        string name, Input x, Input target, long reduced, double smoothing = 0, bool weighted = false, Reduction reduction = Reduction.Mean,
        CaseSize size = CaseSize.Tiny)
    {
        var classes = x.Shape[-1];
        var ignored = name.Contains("ignored", StringComparison.Ordinal);
        return new(Op, name)
        {
            Size = size,
            Inputs = weighted ? [x, target, Uniform("w", 0.5f, 2, classes).Constant()] : [x, target],
            Run = o => Ops.CrossEntropy(o[0], o[1], weighted ? o[2] : null, smoothing, -100, reduction),
            ReductionLength = Math.Max(reduced, 1),
            Composite = size == CaseSize.Tiny && !ignored && !weighted && x.Shape.Count > 0 ? o => Composed(o, smoothing, reduction) : null,
        };
    }

    private static Tensor Composed(Operands o, double smoothing, Reduction reduction)
    {
        var classes = o[0].Shape[-1];
        var targets = o.Values(1);
        var weights = new double[targets.Length * classes];
        for (var r = 0; r < targets.Length; r++)
            for (var c = 0; c < classes; c++)
                weights[r * classes + c] = (c == (int)targets[r] ? 1 - smoothing : 0) + smoothing / classes;
        var wanted = Tensor.FromDoubles(o.Device, weights, o[0].Shape, o.Type);
        var loss = Ops.Neg(Ops.Sum(Ops.Mul(Ops.LogSoftmax(o[0]), wanted), [-1]));
        return reduction switch
        {
            Reduction.Sum => Ops.Sum(loss),
            Reduction.Mean => Ops.Mean(loss),
            _ => loss,
        };
    }
}
