using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Functions of two arguments with broadcasting, and comparisons.</summary>
internal static class BinaryCases
{
    private const string Op = nameof(IBackend.Binary);

    public static IEnumerable<OpCase> Cases =>
    [
        Of(BinaryOp.Add, Normal("x", 3, 17), Normal("y", 3, 17)),
        Of(BinaryOp.Sub, Normal("x", 3, 17), Normal("y", 3, 17)),
        Of(BinaryOp.Mul, Normal("x", 3, 17), Normal("y", 3, 17)),
        Of(BinaryOp.Div, Normal("x", 3, 17), AwayFromZero("y", 3, 17)),
        Of(BinaryOp.Pow, Uniform("x", 0.3f, 3, 3, 17), Uniform("y", -2, 2, 3, 17)),
        Of(BinaryOp.Maximum, Distinct("x", 3, 17), Normal("y", 3, 17)),
        Of(BinaryOp.Minimum, Distinct("x", 3, 17), Normal("y", 3, 17)),
        Of(BinaryOp.Maximum, Ties, Ties2, "Maximum, ties and NaN", noProof: "ties are kinks, NaN has no differences"),
        Of(BinaryOp.Minimum, Ties, Ties2, "Minimum, ties and NaN", noProof: "ties are kinks, NaN has no differences"),
        .. Comparisons.Select(op => Of(op, Ties.Constant(), Ties2.Constant())),
        new(Op, "Equal, integers")
        {
            Inputs = [Index("x", 3, 3, 17), Index("y", 3, 3, 17)], Run = o => Ops.Binary(BinaryOp.Equal, o[0], o[1]),
        },
        new(Op, "Equal, bools")
        {
            Inputs = [Mask("x", 0.5f, 3, 17), Mask("y", 0.5f, 3, 17)], Run = o => Ops.Binary(BinaryOp.Equal, o[0], o[1]),
        },
        new(Op, "NotEqual, int64")
        {
            Inputs = [Index("x", 3, 33).Wide(), Index("y", 3, 33).Wide()], Run = o => Ops.Binary(BinaryOp.NotEqual, o[0], o[1]),
        },

        // Broadcasting: a row, a column, a scalar, both sides, new leading dimensions, a middle dimension.
        Of(BinaryOp.Mul, Normal("x", 5, 19), Normal("y", 19), "Mul, a row", reduction: 5),
        Of(BinaryOp.Mul, Normal("x", 5, 19), Normal("y", 5, 1), "Mul, a column", reduction: 19),
        Of(BinaryOp.Mul, Normal("x", 5, 19), Normal("y"), "Mul, a scalar", reduction: 95),
        Of(BinaryOp.Sub, Normal("x"), Normal("y", 5, 19), "Sub, a scalar on the left", reduction: 95),
        Of(BinaryOp.Mul, Normal("x", 5, 1), Normal("y", 1, 19), "Mul, outer product", reduction: 19),
        Of(BinaryOp.Div, Normal("x", 3, 1, 7), AwayFromZero("y", 2, 3, 4, 7), "Div, rank 4", reduction: 8),
        Of(BinaryOp.Add, Normal("x", 2, 3, 1, 5), Normal("y", 3, 4, 1), "Add, rank 4", reduction: 20),
        Of(BinaryOp.Add, Normal("x", 2, 3, 0), Normal("y", 3, 1), "Add, nothing"),
        Of(BinaryOp.Mul, Normal("x", 3), Normal("y", 3), "Mul, below a vector"),
        new(Op, "Mul, both operands the same tensor") { Inputs = [Normal("x", 3, 17)], Run = o => Ops.Mul(o[0], o[0]), Composite = o => Ops.Square(o[0]) },
        Of(BinaryOp.Add, Normal("x", 4, 128, 768), Normal("y", 4, 128, 768), "Add, hidden of base", size: CaseSize.Real),
        Of(BinaryOp.Add, Normal("x", 4, 128, 768), Normal("y", 768), "Add, bias of base", reduction: 512, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "shapes that do not broadcast", "do not broadcast", [Normal("x", 3, 4), Normal("y", 3)], o => Ops.Add(o[0], o[1])),
        new(Op, "operands of two types", "one type", [Normal("x", 3), Index("y", 3, 3)], o => Ops.Add(o[0], o[1])),
        new(Op, "a sum of integers", "floating-point", [Index("x", 3, 3), Index("y", 3, 3)], o => Ops.Add(o[0], o[1])),
    ];

    private static BinaryOp[] Comparisons =>
    [
        BinaryOp.Equal, BinaryOp.NotEqual, BinaryOp.Less, BinaryOp.LessOrEqual, BinaryOp.Greater, BinaryOp.GreaterOrEqual,
    ];

    private static Input Ties => Given("x", [1f, 2, 3, float.NaN, 0, -0f, 5, float.PositiveInfinity, 1, 2, 3, -4, 7], 13);

    private static Input Ties2 => Given("y", [1f, 3, 2, 1, -0f, 0, float.NaN, float.PositiveInfinity, 1, 2.5f, 3, -4, -7], 13);

    private static OpCase Of(
        BinaryOp op, Input x, Input y, string? name = null, long reduction = 1, string? noProof = null,
        CaseSize size = CaseSize.Tiny) =>
        new(Op, name ?? op.ToString())
        {
            Size = size, Inputs = [x, y], Run = o => Ops.Binary(op, o[0], o[1]), ReductionLength = reduction,
            NoGradientProof = noProof,
        };
}
