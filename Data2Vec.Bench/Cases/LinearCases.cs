using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Linear layers with bias and fused activation.</summary>
internal static class LinearCases
{
    private const string Op = nameof(IBackend.Linear);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd sizes", [5], 7, 19),
        Of("no bias", [5], 7, 19, bias: false),
        Of("GELU", [5], 7, 19, Activation.Gelu),
        Of("tanh GELU", [5], 7, 19, Activation.GeluTanh),
        Of("GELU, no bias", [5], 7, 19, Activation.Gelu, bias: false),
        Of("below a vector", [2], 3, 2),
        Of("one row", [1], 33, 17, Activation.Gelu),
        Of("one output", [17], 33, 1),
        Of("one input", [17], 1, 9),
        Of("leading dimensions", [2, 3], 9, 8),
        Of("a vector", [], 9, 8),
        Of("nothing", [0], 9, 8, Activation.Gelu),
        Of("no inputs", [3], 0, 8),
        Of("whole tiles", [16], 64, 48, Activation.Gelu),
        Of("several tiles and a rest", [67], 131, 71, Activation.Gelu),
        Of("parts of the rows", [300], 9, 8, Activation.Gelu),
        new(Op, "weights used twice")
        {
            Inputs = [Normal("x", 4, 7), Normal("w", 7, 7), Normal("b", 7)], ReductionLength = 16, Flops = 2 * 2 * 4 * 49,
            Run = o => Ops.Linear(Ops.Linear(o[0], o[1], o[2], Activation.Gelu), o[1], o[2]),
        },
        new(Op, "frozen weights") { Inputs = [Normal("x", 4, 7), Normal("w", 9, 7).Constant()], Run = o => Ops.Linear(o[0], o[1]), ReductionLength = 9 },
        new(Op, "frozen input")
        {
            Inputs = [Normal("x", 4, 7).Constant(), Normal("w", 9, 7), Normal("b", 9).Constant()], ReductionLength = 9,
            Run = o => Ops.Linear(o[0], o[1], o[2], Activation.Gelu),
        },
        Of("attention output of base", [4, 128], 768, 768, size: CaseSize.Real),
        Of("feed-forward in of base", [4, 128], 768, 3072, Activation.Gelu, size: CaseSize.Real),
        Of("feed-forward out of base", [4, 128], 3072, 768, size: CaseSize.Real),
        Of("1536 tokens, 768 to 3072", [1536], 768, 3072, size: CaseSize.Real),
        Of("1536 tokens, 3072 to 768", [1536], 3072, 768, size: CaseSize.Real),
        Of("1536 tokens, 768 to 768", [1536], 768, 768, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "a weight of another width", "in = the last dimension of x", [Normal("x", 5, 7), Normal("w", 19, 8)], o => Ops.Linear(o[0], o[1])),
        new(Op, "a bias of another length", "bias must have shape (19)", [Normal("x", 5, 7), Normal("w", 19, 7), Normal("b", 7)],
            o => Ops.Linear(o[0], o[1], o[2])),
        new(Op, "integers", "floating-point", [Index("x", 3, 5, 7), Normal("w", 19, 7)], o => Ops.Linear(o[0], o[1])),
    ];

    private static OpCase Of(
        string name, int[] leading, int ins, int outs, Activation activation = Activation.None, bool bias = true,
        CaseSize size = CaseSize.Tiny)
    {
        var rows = leading.Aggregate(1, (x, y) => x * y);
        // Weights of deviation 1 / sqrt(in) keep the sums before the activation near 1, as in a real layer.
        var bound = MathF.Sqrt(3f / Math.Max(1, ins));
        Input[] operands = [Normal("x", [.. leading, ins]), Uniform("w", -bound, bound, outs, ins)];
        return new(Op, name)
        {
            Size = size,
            Inputs = bias ? [.. operands, Normal("b", outs)] : operands,
            Run = o => Ops.Linear(o[0], o[1], bias ? o[2] : null, activation),
            ReductionLength = Math.Max(1, Math.Max(rows, Math.Max(ins, outs))),
            Flops = 2.0 * rows * ins * outs,
            Composite = size == CaseSize.Tiny && leading.Length > 0 ? o => Composed(o, bias, activation) : null,
        };
    }

    private static Tensor Composed(Operands o, bool bias, Activation activation)
    {
        var y = Ops.MatMul(o[0], o[1], transposeB: true);
        if (bias) y = Ops.Add(y, o[2]);
        return activation == Activation.None ? y : Ops.Gelu(y, activation == Activation.GeluTanh);
    }
}
