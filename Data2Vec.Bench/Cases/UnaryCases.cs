using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Functions of one argument, element by element.</summary>
internal static class UnaryCases
{
    private const string Op = nameof(IBackend.Unary);
    private const string Steps = "a step function: its slope is 0 except at the steps";

    public static IEnumerable<OpCase> Cases =>
    [
        // Every function once, over an odd size that is a few vectors and a tail.
        Of(UnaryOp.Affine, Normal("x", 37), a: -1.5, b: 0.25),
        Of(UnaryOp.Abs, AwayFromZero("x", 37)),
        Of(UnaryOp.Exp, Normal("x", 37)),
        Of(UnaryOp.Log, Uniform("x", 0.2f, 5, 37)),
        Of(UnaryOp.Sqrt, Uniform("x", 0.2f, 5, 37)),
        Of(UnaryOp.Rsqrt, Uniform("x", 0.2f, 5, 37)),
        Of(UnaryOp.Reciprocal, AwayFromZero("x", 37)),
        Of(UnaryOp.Tanh, Normal("x", 37)),
        Of(UnaryOp.Sigmoid, Normal("x", 37)),
        Of(UnaryOp.Relu, AwayFromZero("x", 37)),
        Of(UnaryOp.Silu, Normal("x", 37)),
        Of(UnaryOp.Gelu, Normal("x", 37)),
        Of(UnaryOp.GeluTanh, Normal("x", 37)),
        Of(UnaryOp.Erf, Normal("x", 37)),
        Of(UnaryOp.Square, Normal("x", 37)),
        Of(UnaryOp.PowScalar, Uniform("x", 0.2f, 3, 37), a: 2.5),
        Of(UnaryOp.Clamp, AwayFromZero("x", 37), a: -0.05, b: 0.05, name: "Clamp, all outside"),
        Of(UnaryOp.Clamp, Distinct("x", 37), a: -1.1, b: 2.1),
        Of(UnaryOp.Softplus, Normal("x", 37)),
        Of(UnaryOp.Sign, AwayFromZero("x", 37).Exact(), noProof: Steps),
        Of(UnaryOp.Floor, Distinct("x", 37).Exact(), noProof: Steps),
        Of(UnaryOp.Truncate, Distinct("x", 37).Exact(), noProof: Steps),

        // Far out, where naive formulas overflow or lose everything.
        .. Saturating.Select(op => Of(op, Uniform("x", -30, 30, 37), name: $"{op}, saturated")),
        Of(UnaryOp.Exp, Uniform("x", -60, 60, 37), name: "Exp, wide range", noProof: "the values span 50 orders of magnitude"),
        Of(UnaryOp.Log, Given("x", [1e-30f, 1e-6f, 0.999999f, 1, 1.000001f, 1e6f, 1e30f], 7), name: "Log, wide range",
            noProof: "the values span 60 orders of magnitude"),

        // NaN, infinities and zeros go through as in the formula.
        .. NotNumbers.Select(op => Of(op, Special, name: $"{op}, special values", a: op == UnaryOp.PowScalar ? 2 : -1, b: 1,
            noProof: "NaN and infinity have no differences")),
        Of(UnaryOp.Relu, Given("x", [0f, -0f, 1, -1, 0], 5), name: "Relu, zeros", noProof: "0 is the kink"),
        Of(UnaryOp.Abs, Given("x", [0f, -0f, 1, -1, 0], 5), name: "Abs, zeros", noProof: "0 is the kink"),
        Of(UnaryOp.Clamp, Given("x", [-1f, 1, 0.5f, -2, 2], 5), a: -1, b: 1, name: "Clamp, on the bounds", noProof: "the bounds are kinks"),

        // Sizes: nothing, one element, below a vector, a whole number of vectors, several chunks of work.
        Of(UnaryOp.Gelu, Normal("x", 0), name: "Gelu, nothing"),
        Of(UnaryOp.Gelu, Normal("x"), name: "Gelu, scalar"),
        Of(UnaryOp.Gelu, Normal("x", 3), name: "Gelu, below a vector"),
        Of(UnaryOp.Gelu, Normal("x", 4, 16), name: "Gelu, whole vectors"),
        Of(UnaryOp.Gelu, Normal("x", 3, 3001), name: "Gelu, several chunks"),
        Of(UnaryOp.Gelu, Normal("x", 4, 128, 3072), name: "Gelu, feed-forward of base", size: CaseSize.Real),
        Of(UnaryOp.Affine, Normal("x", 4, 128, 768), a: 0.125, name: "Affine, hidden of base", size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "an integer operand", "floating-point", [Index("x", 9, 5)], o => Ops.Exp(o[0])),
    ];

    private static UnaryOp[] Saturating =>
    [
        UnaryOp.Tanh, UnaryOp.Sigmoid, UnaryOp.Silu, UnaryOp.Gelu, UnaryOp.GeluTanh, UnaryOp.Erf, UnaryOp.Softplus,
    ];

    private static UnaryOp[] NotNumbers =>
    [
        UnaryOp.Affine, UnaryOp.Abs, UnaryOp.Exp, UnaryOp.Log, UnaryOp.Sqrt, UnaryOp.Tanh, UnaryOp.Sigmoid, UnaryOp.Relu, UnaryOp.Erf,
        UnaryOp.Square, UnaryOp.Clamp, UnaryOp.Sign, UnaryOp.Floor, UnaryOp.Softplus,
    ];

    private static Input Special => Given("x", [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1, 2, 3, 4, 5, -1], 9);

    private static OpCase Of(
        UnaryOp op, Input x, double a = 0, double b = 0, string? name = null, string? noProof = null, CaseSize size = CaseSize.Tiny) =>
        new(Op, name ?? op.ToString()) { Size = size, Inputs = [x], Run = o => Ops.Unary(op, o[0], a, b), NoGradientProof = noProof };
}
