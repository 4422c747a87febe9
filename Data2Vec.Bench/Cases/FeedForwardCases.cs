using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Two linear layers as one operation, against the two.</summary>
internal static class FeedForwardCases
{
    private const string Op = nameof(Ops.FeedForward);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd sizes", [5], 7, 19, 3),
        Of("tanh GELU", [5], 7, 19, 3, Activation.GeluTanh),
        Of("no activation", [5], 7, 19, 3, Activation.None),
        Of("no biases", [5], 7, 19, 3, biases: false),
        Of("tanh GELU, no biases", [3], 9, 21, 10, Activation.GeluTanh, biases: false),
        Of("leading dimensions", [2, 3], 9, 16, 8),
        Of("a vector", [], 9, 8, 5),
        Of("one of everything", [1], 1, 1, 1),
        Of("nothing", [0], 9, 16, 8),
        Of("whole units", [9], 16, 24, 32),
        Of("whole units, tanh GELU", [9], 16, 24, 32, Activation.GeluTanh),
        Of("parts of the rows", [300], 4, 6, 5),
        Frozen("frozen x", 0),
        Frozen("frozen first layer", 1, 2),
        Frozen("frozen second layer", 3, 4),
        Frozen("frozen weights", 1, 3),
        Frozen("frozen biases", 2, 4),
        Frozen("frozen but for the first bias", 0, 1, 3, 4),
        Frozen("frozen up to the second layer", 0, 1, 2),
        Frozen("frozen but for the second bias", 0, 1, 2, 3),
        new(Op, "weights used twice")
        {
            Inputs = [Normal("x", 4, 7), Uniform("w", -0.6f, 0.6f, 7, 7), Normal("b", 7)], ReductionLength = 16,
            Flops = 2 * 2 * 4 * 49, Run = o => Ops.FeedForward(o[0], o[1], o[2], o[1], o[2]),
            Composite = o => Ops.Linear(Ops.Linear(o[0], o[1], o[2], Activation.Gelu), o[1], o[2]),
        },
        Of("of base", [4, 128], 768, 3072, 768, size: CaseSize.Real),
        Of("of base, text of a batch", [8192], 768, 3072, 768, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        Refused("a first weight of another width", "in = the last dimension of x", [19, 8], [19], [3, 19], [3]),
        Refused("weights that do not fit", "inner = the first dimension of w1", [19, 7], [19], [3, 18], [3]),
        Refused("a first bias of another length", "b1 must have shape (19)", [19, 7], [3], [3, 19], [3]),
        Refused("a second bias of another length", "b2 must have shape (3)", [19, 7], [19], [3, 19], [19]),
        new(Op, "integers", "floating-point", [Index("x", 3, 5, 7), Normal("w1", 19, 7), Normal("w2", 3, 19)],
            o => Ops.FeedForward(o[0], o[1], null, o[2], null)),
    ];

    private static OpError Refused(string name, string fragment, int[] w1, int[] b1, int[] w2, int[] b2) => new(
        Op, name, fragment, [Normal("x", 5, 7), Normal("w1", w1), Normal("b1", b1), Normal("w2", w2), Normal("b2", b2)],
        o => Ops.FeedForward(o[0], o[1], o[2], o[3], o[4]));

    private static OpCase Frozen(string name, params int[] constants) => Of(name, [5], 7, 12, 9, constants: constants);

    private static OpCase Of(
        string name, int[] leading, int ins, int inner, int outs, Activation activation = Activation.Gelu, bool biases = true,
        CaseSize size = CaseSize.Tiny, int[]? constants = null)
    {
        var rows = leading.Aggregate(1, (x, y) => x * y);
        // Weights of deviation 1 / sqrt(in) keep sums near 1, as in a real layer.
        var (bound, innerBound) = (MathF.Sqrt(3f / ins), MathF.Sqrt(3f / inner));
        List<Input> inputs = [Normal("x", [.. leading, ins]), Uniform("w1", -bound, bound, inner, ins)];
        if (biases) inputs.Add(Normal("b1", inner));
        inputs.Add(Uniform("w2", -innerBound, innerBound, outs, inner));
        if (biases) inputs.Add(Normal("b2", outs));
        foreach (var i in constants ?? []) inputs[i] = inputs[i].Constant();
        return new(Op, name)
        {
            Size = size,
            Inputs = [.. inputs],
            Run = o => biases
                ? Ops.FeedForward(o[0], o[1], o[2], o[3], o[4], activation)
                : Ops.FeedForward(o[0], o[1], null, o[2], null, activation),
            ReductionLength = Math.Max(Math.Max(rows, inner), Math.Max(ins, outs)),
            Flops = 2.0 * rows * inner * (ins + outs),
            Composite = size == CaseSize.Tiny
                ? o => biases
                    ? Ops.Linear(Ops.Linear(o[0], o[1], o[2], activation), o[3], o[4])
                    : Ops.Linear(Ops.Linear(o[0], o[1], null, activation), o[2])
                : null,
        };
    }
}
