using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Layer normalisation, alone and fused with dropout and residual.</summary>
internal static class LayerNormCases
{
    private const string Op = nameof(IBackend.LayerNorm);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd width", [3, 17]),
        Of("not affine", [3, 17], affine: false),
        Of("below a vector", [5, 3]),
        // With a small eps two columns always give +1 and -1, and the gradient is a difference of equal numbers.
        Of("two columns", [5, 2], eps: 0.5),
        Of("whole vectors", [4, 64]),
        // Above 256 the threads of a GPU hold more than four elements each, the last of them not all.
        Of("several warps", [6, 260]),
        Of("several warps, dropout and residual", [6, 264], residual: true, dropout: 0.3),
        Of("several warps, GELU", [5, 268], activation: Activation.Gelu),
        Of("wide row", [2, 1027]),
        Of("many rows", [301, 9]),
        Of("many rows, wide", [70, 301]),
        Of("rank 4", [2, 3, 2, 9]),
        Of("no rows", [0, 9]),
        Of("large eps", [3, 17], eps: 0.5),
        Of("residual", [3, 17], residual: true),
        Of("residual, not affine", [3, 17], residual: true, affine: false),
        Of("dropout", [3, 37], dropout: 0.3),
        Of("dropout and residual", [5, 37], residual: true, dropout: 0.3),
        Of("GELU", [3, 37], activation: Activation.Gelu),
        Of("GELU, not affine", [3, 37], affine: false, activation: Activation.Gelu),
        Of("GELU, below a vector", [5, 3], activation: Activation.Gelu),
        Of("GELU, many rows", [131, 17], activation: Activation.Gelu),
        Of("GELU, no rows", [0, 9], activation: Activation.Gelu),
        Of("tanh GELU, dropout and residual", [5, 37], residual: true, dropout: 0.3, activation: Activation.GeluTanh),
        new(Op, "GELU, shift alone")
        {
            Inputs = [Normal("x", 3, 17), Normal("beta", 17)], ReductionLength = 17,
            Run = o => Ops.LayerNorm(o[0], null, o[1], activation: Activation.Gelu),
            Composite = o => Ops.Gelu(Ops.Add(Ops.LayerNorm(o[0], null, null), o[1])),
        },
        new(Op, "one column")
        {
            Inputs = [Normal("x", 4, 1), Normal("gamma", 1), Normal("beta", 1)], Run = o => Ops.LayerNorm(o[0], o[1], o[2]), ReductionLength = 4,
        },
        new(Op, "far from zero")
        {
            // Variance in two passes keeps what sum(x²) - n mean² would lose.
            Inputs = [Uniform("x", 1000, 1001, 3, 33)], Run = o => Ops.LayerNorm(o[0], null, null), ReductionLength = 33,
        },
        new(Op, "given keep mask")
        {
            Inputs = [Normal("x", 3, 17), Normal("r", 3, 17), Mask("keep", 0.7f, 3, 17)], ReductionLength = 17,
            Run = o => Ops.LayerNorm(o[0], null, null, o[1], dropout: o.Keep(0.3, 2)),
            Composite = o => Ops.LayerNorm(Ops.Add(Ops.Dropout(o[0], o.Keep(0.3, 2)), o[1]), null, null),
        },
        new(Op, "gamma and beta used twice")
        {
            Inputs = [Normal("x", 3, 17), Normal("gamma", 17), Normal("beta", 17)], ReductionLength = 34,
            Run = o => Ops.LayerNorm(Ops.LayerNorm(o[0], o[1], o[2]), o[1], o[2]),
        },
        new(Op, "the input is its own residual")
        {
            Inputs = [Normal("x", 3, 17), Normal("gamma", 17)], Run = o => Ops.LayerNorm(o[0], o[1], null, o[0]), ReductionLength = 17,
        },
        Of("hidden of base", [4, 128, 768], size: CaseSize.Real),
        Of("8 images of base", [1576, 768], size: CaseSize.Real),
        Of("audio, layer 1 with GELU", [2, 1599, 512], activation: Activation.Gelu, size: CaseSize.Real),
        Of("hidden of base, dropout and residual", [4, 128, 768], residual: true, dropout: 0.1, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "gamma of another width", "gamma must have shape (17)", [Normal("x", 3, 17), Normal("g", 16)], o => Ops.LayerNorm(o[0], o[1], null)),
        new(Op, "beta of another width", "beta must have shape (17)", [Normal("x", 3, 17), Normal("b", 3)], o => Ops.LayerNorm(o[0], null, o[1])),
        new(Op, "a residual of another shape", "residual must have the shape of x", [Normal("x", 3, 17), Normal("r", 17)],
            o => Ops.LayerNorm(o[0], null, null, o[1])),
        new(Op, "no columns", "last dimension of at least 1", [Normal("x", 3, 0)], o => Ops.LayerNorm(o[0], null, null)),
        new(Op, "a scalar", "last dimension of at least 1", [Normal("x")], o => Ops.LayerNorm(o[0], null, null)),
    ];

    private static OpCase Of(
        string name, int[] shape, bool affine = true, bool residual = false, double dropout = 0, double eps = 1e-5,
        Activation activation = Activation.None, CaseSize size = CaseSize.Tiny)
    {
        var columns = shape[^1];
        var inputs = new List<Input> { Normal("x", shape) };
        if (affine) inputs.AddRange([Normal("gamma", columns), Normal("beta", columns)]);
        if (residual) inputs.Add(Normal("r", shape));
        Tensor? Gamma(Operands o) => affine ? o[1] : null;
        Tensor? Beta(Operands o) => affine ? o[2] : null;
        Tensor? Residual(Operands o) => residual ? o[affine ? 3 : 1] : null;
        DropoutSource Drop(Operands o) => dropout > 0 ? o.Dropout(dropout) : default;
        return new(Op, name)
        {
            Size = size,
            Inputs = [.. inputs],
            Run = o => Ops.LayerNorm(o[0], Gamma(o), Beta(o), Residual(o), eps, Drop(o), activation),
            ReductionLength = shape.Aggregate(1L, (x, y) => x * y) / columns is var rows && rows > columns ? rows : columns,
            Composite = size == CaseSize.Tiny ? Composite : null,
        };

        Tensor Composite(Operands o)
        {
            var y = Composed(o[0], Gamma(o), Beta(o), Residual(o), eps, Drop(o));
            return activation == Activation.None ? y : Ops.Gelu(y, activation == Activation.GeluTanh);
        }
    }

    private static Tensor Composed(Tensor x, Tensor? gamma, Tensor? beta, Tensor? residual, double eps, DropoutSource dropout)
    {
        var s = Ops.Dropout(x, dropout);
        if (residual is not null) s = Ops.Add(s, residual);
        var centred = Ops.Sub(s, Ops.Mean(s, [-1], keepDimensions: true));
        var variance = Ops.Mean(Ops.Square(centred), [-1], keepDimensions: true);
        var y = Ops.Mul(centred, Ops.Unary(UnaryOp.Rsqrt, Ops.Affine(variance, 1, eps)));
        if (gamma is not null) y = Ops.Mul(y, gamma);
        return beta is null ? y : Ops.Add(y, beta);
    }
}
