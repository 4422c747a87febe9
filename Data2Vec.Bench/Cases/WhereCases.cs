using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Selection by a condition, and masked fill.</summary>
internal static class WhereCases
{
    private const string Op = nameof(IBackend.Where);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("same shapes", Mask("c", 0.5f, 3, 17), Normal("x", 3, 17), Normal("y", 3, 17)),
        Of("a scalar each side", Mask("c", 0.5f, 3, 17), Normal("x"), Normal("y", 1), reduction: 51),
        Of("a condition per row", Mask("c", 0.5f, 5, 1), Normal("x", 5, 19), Normal("y", 19), reduction: 5),
        Of("a condition per column", Mask("c", 0.5f, 19), Normal("x", 2, 5, 19), Normal("y", 5, 1), reduction: 38),
        Of("nothing", Mask("c", 0.5f, 0, 4), Normal("x", 0, 4), Normal("y", 4)),
        new(Op, "integers") { Inputs = [Mask("c", 0.5f, 33), Index("x", 9, 33), Index("y", 9, 33)], Run = o => Ops.Where(o[0], o[1], o[2]) },
        new(Op, "int64") { Inputs = [Mask("c", 0.5f, 33), Index("x", 9, 33).Wide(), Index("y", 9, 33).Wide()], Run = o => Ops.Where(o[0], o[1], o[2]) },
        new(Op, "bools") { Inputs = [Mask("c", 0.5f, 33), Mask("x", 0.5f, 33), Mask("y", 0.5f, 33)], Run = o => Ops.Where(o[0], o[1], o[2]) },
        new(Op, "masked fill") { Inputs = [Normal("x", 4, 13), Mask("mask", 0.3f, 4, 13)], Run = o => Ops.MaskedFill(o[0], o[1], -3.5) },
        new(Op, "masked fill with -inf")
        {
            Inputs = [Normal("x", 4, 13), Mask("mask", 0.3f, 13)], Run = o => Ops.MaskedFill(o[0], o[1], double.NegativeInfinity),
            NoGradientProof = "infinities have no differences",
        },
        Of("hidden of base", Mask("c", 0.15f, 4, 128, 1), Normal("x", 768), Normal("y", 4, 128, 768), reduction: 512, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "a condition of numbers", "must be bool", [Normal("c", 3), Normal("x", 3)], o => Ops.Where(o[0], o[1], o[1])),
        new(Op, "operands of two types", "one type", [Mask("c", 0.5f, 3), Normal("x", 3), Index("y", 3, 3)], o => Ops.Where(o[0], o[1], o[2])),
    ];

    private static OpCase Of(string name, Input c, Input x, Input y, long reduction = 1, CaseSize size = CaseSize.Tiny) =>
        new(Op, name) { Size = size, Inputs = [c, x, y], Run = o => Ops.Where(o[0], o[1], o[2]), ReductionLength = reduction };
}
