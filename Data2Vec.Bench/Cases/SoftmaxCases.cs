using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Softmax and log-softmax along one dimension.</summary>
internal static class SoftmaxCases
{
    private const string Op = nameof(IBackend.Softmax);

    public static IEnumerable<OpCase> Cases =>
    [
        .. Both("last dimension", Normal("x", 5, 19), -1),
        .. Both("first dimension", Normal("x", 7, 5), 0),
        .. Both("middle dimension", Normal("x", 2, 19, 17), 1),
        .. Both("below a vector", Normal("x", 4, 3), -1),
        .. Both("long lines", Normal("x", 2, 1501), -1),
        .. Both("one element", Normal("x", 4, 1), -1),
        .. Both("scalar", Normal("x"), -1),
        .. Both("nothing", Normal("x", 0, 5), -1),
        .. Both("rows of nothing", Normal("x", 5, 0), -1),
        .. Both("large numbers", Uniform("x", 900, 1000, 3, 33), -1),
        .. Both("some -inf", Given("x", [0f, 1, float.NegativeInfinity, 2, float.NegativeInfinity, 3], 2, 3), -1, "infinities have no differences"),
        .. Both("only -inf", Given("x", [float.NegativeInfinity, float.NegativeInfinity, 1, 2], 2, 2), -1, "the result is NaN"),
        .. Both("attention of base", Normal("x", 12, 128, 128), -1, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "no such dimension", "no dimension 2", [Normal("x", 3, 4)], o => Ops.Softmax(o[0], 2)),
        new(Op, "integers", "floating-point", [Index("x", 3, 3)], o => Ops.LogSoftmax(o[0])),
    ];

    private static IEnumerable<OpCase> Both(string name, Input x, int dimension, string? noProof = null, CaseSize size = CaseSize.Tiny)
    {
        var length = x.Shape.Rank == 0 ? 1 : Math.Max(1, x.Shape[dimension]);
        var stable = noProof is null && x.Shape.Count > 0 && x.Shape.Rank > 0 && !name.StartsWith("large", StringComparison.Ordinal);
        yield return new(Op, name)
        {
            Size = size, Inputs = [x], Run = o => Ops.Softmax(o[0], dimension), ReductionLength = length, NoGradientProof = noProof,
            Composite = stable ? o => Ops.Div(Ops.Exp(o[0]), Ops.Sum(Ops.Exp(o[0]), [dimension], true)) : null,
        };
        yield return new(Op, name + ", log")
        {
            Size = size, Inputs = [x], Run = o => Ops.LogSoftmax(o[0], dimension), ReductionLength = length, NoGradientProof = noProof,
            Composite = stable ? o => Ops.Sub(o[0], Ops.LogSumExp(o[0], [dimension], true)) : null,
        };
    }
}
