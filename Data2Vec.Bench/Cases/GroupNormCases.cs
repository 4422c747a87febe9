using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Group normalisation, a composite over LayerNorm and InstanceNorm, against its formula.</summary>
internal static class GroupNormCases
{
    private const string Op = nameof(Ops.GroupNorm);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd sizes", [2, 7, 6], 3),
        Of("not affine", [2, 7, 6], 2, affine: false),
        Of("one group", [2, 5, 9], 1),
        Of("groups of one channel", [2, 7, 5], 5),
        Of("one frame", [3, 1, 12], 4),
        Of("no samples", [0, 3, 6], 2),
        Of("large eps", [2, 7, 6], 3, eps: 0.5),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        Refused("groups that do not divide the channels", "4 groups must divide the channels", [2, 3, 6], 4),
        Refused("no groups", "0 groups must divide the channels", [2, 3, 6], 0),
        Refused("no frames", "at least one frame", [2, 0, 6], 3),
        Refused("two dimensions", "[batch, time, channels]", [2, 6], 3),
        new(Op, "gamma of another width", "gamma must have shape (6)", [Normal("x", 2, 3, 6), Normal("g", 3)],
            o => Ops.GroupNorm(o[0], o[1], null, 3)),
        new(Op, "beta of another width", "beta must have shape (6)", [Normal("x", 2, 3, 6), Normal("b", 5)],
            o => Ops.GroupNorm(o[0], null, o[1], 3)),
    ];

    private static OpError Refused(string name, string fragment, int[] x, int groups) =>
        new(Op, name, fragment, [Normal("x", x)], o => Ops.GroupNorm(o[0], null, null, groups));

    private static OpCase Of(string name, int[] shape, int groups, bool affine = true, double eps = 1e-5)
    {
        var channels = shape[2];
        Input[] operands = [Normal("x", shape)];
        return new(Op, name)
        {
            Inputs = affine ? [.. operands, Normal("gamma", channels), Normal("beta", channels)] : operands,
            Run = o => Ops.GroupNorm(o[0], affine ? o[1] : null, affine ? o[2] : null, groups, eps),
            ReductionLength = Math.Max(shape[1] * (channels / groups), shape[0] * shape[1]),
            Composite = o => Composed(o[0], affine ? o[1] : null, affine ? o[2] : null, groups, eps),
        };
    }

    private static Tensor Composed(Tensor x, Tensor? gamma, Tensor? beta, int groups, double eps)
    {
        var (batch, time, channels) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        var split = Ops.Reshape(x, new Shape(batch, time, groups, channels / groups));
        var centred = Ops.Sub(split, Ops.Mean(split, [1, 3], keepDimensions: true));
        var variance = Ops.Mean(Ops.Square(centred), [1, 3], keepDimensions: true);
        var y = Ops.Reshape(Ops.Div(centred, Ops.Sqrt(Ops.Affine(variance, 1, eps))), x.Shape);
        if (gamma is not null) y = Ops.Mul(y, gamma);
        return beta is null ? y : Ops.Add(y, beta);
    }
}
