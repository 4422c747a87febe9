using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Smooth L1 and L2 over all rows or chosen rows.</summary>
internal static class SmoothL1Cases
{
    private const string Op = nameof(IBackend.SmoothL1);

    public static IEnumerable<OpCase> Cases =>
    [
        .. Enum.GetValues<Reduction>().SelectMany(Every),
        .. Enum.GetValues<Reduction>().Select(r => Chosen($"{r}, chosen rows of whole vectors", 7, 24, 4, 0.7, r)),
        Of("whole vectors", 5, 132, 1, Reduction.None),
        Of("beta 4", 5, 19, 4, Reduction.Mean),
        Of("scale", 5, 19, 1, Reduction.Sum, scale: 0.25),
        Of("one element", 1, 1, 1, Reduction.Mean),
        Of("below a vector", 1, 3, 0.5, Reduction.Sum),
        Of("many rows", 301, 9, 1, Reduction.Mean),
        Of("sum of nothing", 0, 9, 1, Reduction.Sum),
        Chosen("no rows chosen", 5, 9, 0, 1, Reduction.Sum),
        new(Op, "on the kinks")
        {
            Inputs = [Given("x", [0f, 1, -1, 2, -2, 0.5f], 2, 3), Given("t", [0f, 0, 0, 0, 0, 0], 2, 3)],
            Run = o => Ops.SmoothL1(o[0], o[1], reduction: Reduction.None),
            NoGradientProof = "0 and beta are where the second derivative jumps",
        },
        Repeated("frozen target, repeated rows", 9),
        Repeated("frozen target, repeated rows of whole vectors", 12),
        Chosen("masked rows of base", 512, 768, 77, 4, Reduction.Mean, CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "another number of rows", "target must match", [Normal("x", 5, 9), Normal("t", 4, 9)], o => Ops.SmoothL1(o[0], o[1])),
        new(Op, "a negative beta", "beta must not be negative", [Normal("x", 5, 9), Normal("t", 5, 9)], o => Ops.SmoothL1(o[0], o[1], beta: -1)),
        new(Op, "a row that is not there", "5", [Normal("x", 5, 9), Normal("t", 2, 9), Indices("rows", 0, 5)], o => Ops.SmoothL1(o[0], o[1], o[2])),
    ];

    private static IEnumerable<OpCase> Every(Reduction reduction) =>
    [
        Of($"{reduction}", 5, 19, 1, reduction),
        Of($"{reduction}, L2", 5, 19, 0, reduction),
        Chosen($"{reduction}, chosen rows", 7, 19, 4, 0.7, reduction),
    ];

    private static OpCase Of(string name, int rows, int columns, double beta, Reduction reduction, double scale = 1) =>
        new(Op, name)
        {
            Inputs = [Normal("x", rows, columns), Normal("t", rows, columns)], ReductionLength = Math.Max(1, rows * columns),
            Run = o => Ops.SmoothL1(o[0], o[1], null, beta, reduction, scale), Composite = o => Composed(o[0], o[1], beta, reduction, scale),
        };

    private static OpCase Chosen(
        string name, int rows, int columns, int count, double beta, Reduction reduction, CaseSize size = CaseSize.Tiny) =>
        new(Op, name)
        {
            Size = size, Inputs = [Normal("x", rows, columns), Normal("t", count, columns), DistinctIndex("rows", rows, count)],
            ReductionLength = Math.Max(1, count * columns), Run = o => Ops.SmoothL1(o[0], o[1], o[2], beta, reduction),
            Composite = size == CaseSize.Tiny ? o => Composed(Ops.GatherRows(o[0], o[2]), o[1], beta, reduction, 1) : null,
        };

    private static OpCase Repeated(string name, int columns) => new(Op, name)
    {
        Inputs = [Normal("x", 7, columns), Normal("t", 5, columns).Constant(), Indices("rows", 2, 2, 0, 6, 2)],
        ReductionLength = 5 * columns,
        Run = o => Ops.SmoothL1(o[0], o[1], o[2], 4),
        Composite = o => Ops.SmoothL1(Ops.GatherRows(o[0], o[2]), o[1], null, 4),
    };

    private static Tensor Composed(Tensor x, Tensor t, double beta, Reduction reduction, double scale)
    {
        var d = Ops.Sub(x, t);
        var loss = Ops.Square(d);
        if (beta > 0)
        {
            var size = Ops.Unary(UnaryOp.Abs, d);
            var inside = Ops.Binary(BinaryOp.Less, size, Tensor.Full(x.Device, new Shape(), x.DType, beta));
            loss = Ops.Where(inside, Ops.Affine(loss, 0.5 / beta), Ops.Affine(size, 1, -beta / 2));
        }
        return Ops.Affine(reduction switch
        {
            Reduction.None => loss,
            Reduction.PerRow => Ops.Sum(loss, [-1]),
            Reduction.Sum => Ops.Sum(loss),
            _ => Ops.Mean(loss),
        }, scale);
    }
}
