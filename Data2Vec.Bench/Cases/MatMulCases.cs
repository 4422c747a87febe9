using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Batched, transposed and broadcast matrix products.</summary>
internal static class MatMulCases
{
    private const string Op = nameof(IBackend.MatMul);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd sizes", [5, 7], [7, 19]),
        Of("A transposed", [7, 5], [7, 19], transposeA: true),
        Of("B transposed", [5, 7], [19, 7], transposeB: true),
        Of("both transposed", [7, 5], [19, 7], true, true),
        Of("below a vector", [2, 3], [3, 2]),
        Of("one row", [1, 33], [33, 17]),
        Of("one column", [17, 33], [33, 1]),
        Of("scalar product", [1, 37], [37, 1]),
        Of("outer product", [13, 1], [1, 17]),
        Of("no inner extent", [3, 0], [0, 5]),
        Of("nothing", [0, 3], [3, 5]),
        Of("whole tiles", [16, 64], [64, 48]),
        Of("several tiles and a rest", [67, 131], [131, 71]),
        Of("several tiles, A transposed", [131, 67], [131, 71], transposeA: true),
        Of("several tiles, B transposed", [67, 131], [71, 131], transposeB: true),
        Of("many, in large tiles and a rest", [64, 70, 17], [64, 17, 40]),
        Of("batched", [3, 5, 7], [3, 7, 9]),
        Of("batched rank 5, transposed", [2, 1, 3, 7, 5], [2, 2, 3, 9, 7], true, true),
        Of("one A for all", [5, 7], [4, 7, 9], more: 4),
        Of("one B for all", [4, 5, 7], [7, 9], more: 4),
        Of("batches broadcast both ways", [2, 1, 5, 7], [3, 7, 9], more: 6),
        Of("no batch", [0, 5, 7], [0, 7, 9]),
        new(Op, "the same tensor twice")
        {
            Inputs = [Normal("x", 6, 6)], Run = o => Ops.MatMul(o[0], o[0], transposeB: true), ReductionLength = 12, Flops = 2 * 216,
        },
        Of("scores of base", [48, 128, 64], [48, 128, 64], transposeB: true, size: CaseSize.Real),
        Of("context of base", [48, 128, 128], [48, 128, 64], size: CaseSize.Real),
        Of("square 512", [512, 512], [512, 512], size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "inner extents that differ", "inner extents must agree", [Normal("a", 3, 4), Normal("b", 3, 4)], o => Ops.MatMul(o[0], o[1])),
        new(Op, "a vector", "at least two dimensions", [Normal("a", 4), Normal("b", 4, 4)], o => Ops.MatMul(o[0], o[1])),
        new(Op, "batches that do not broadcast", "do not broadcast", [Normal("a", 2, 3, 4), Normal("b", 3, 4, 5)], o => Ops.MatMul(o[0], o[1])),
        new(Op, "integers", "floating-point", [Index("a", 3, 4, 4), Index("b", 3, 4, 4)], o => Ops.MatMul(o[0], o[1])),
    ];

    private static OpCase Of(
        string name, int[] a, int[] b, bool transposeA = false, bool transposeB = false, int more = 1, CaseSize size = CaseSize.Tiny)
    {
        var (m, k) = transposeA ? (a[^1], a[^2]) : (a[^2], a[^1]);
        var n = transposeB ? b[^2] : b[^1];
        double batch = Math.Max(a[..^2].Aggregate(1, (x, y) => x * y), b[..^2].Aggregate(1, (x, y) => x * y));
        return new(Op, name)
        {
            Size = size, Inputs = [Normal("a", a), Normal("b", b)], Run = o => Ops.MatMul(o[0], o[1], transposeA, transposeB),
            ReductionLength = more * Math.Max(1, Math.Max(k, Math.Max(m, n))), Flops = 2.0 * m * n * k * batch,
            Composite = size == CaseSize.Tiny ? o => Composed(o[0], o[1], transposeA, transposeB) : null,
        };
    }

    /// <summary>sum over k of a[.., m, k, 1] * b[.., 1, k, n]: every product in memory, then one sum.</summary>
    private static Tensor Composed(Tensor a, Tensor b, bool transposeA, bool transposeB)
    {
        var left = transposeA ? Ops.Transpose(a) : a;
        var right = transposeB ? Ops.Transpose(b) : b;
        var products = Ops.Mul(
            Ops.Reshape(left, left.Shape.Append(1)),
            Ops.Reshape(right, right.Shape.Slice(0, right.Shape.Rank - 2).Append(1, right.Shape[-2], right.Shape[-1])));
        return Ops.Sum(products, [-2]);
    }
}
