using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Convolutions whose channels are normalised in the same pass.</summary>
internal static class Conv1dLayerNormCases
{
    private const string Op = nameof(IBackend.Conv1dLayerNorm);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd sizes", [2, 11, 3], 5, 3),
        Of("no activation", [2, 11, 3], 5, 3, activation: Activation.None),
        Of("tanh GELU", [2, 11, 3], 5, 3, activation: Activation.GeluTanh),
        Of("no bias", [2, 11, 3], 7, 3, bias: false),
        Of("not affine", [2, 11, 3], 7, 3, affine: false),
        Of("stride, padding, dilation, groups", [2, 21, 4], 6, 4, new(Stride: 2, Padding: 5, Dilation: 3, Groups: 2)),
        Of("no samples", [0, 9, 3], 5, 3),
        Of("whole units", [2, 41, 16], 32, 3, new(Stride: 2)),
        Of("whole units, no bias, not affine", [2, 41, 8], 136, 2, new(Stride: 2), bias: false, affine: false),
        Of("whole units, several blocks", [3, 131, 8], 128, 3, new(Stride: 2, Padding: 1)),
        Of("512 channels", [1, 140, 8], 512, 3, new(Stride: 2), bias: false),
        Of("one channel in, as of sound", [2, 93, 1], 37, 10, new(Stride: 5), bias: false),
        Of("one channel in, 128 out", [2, 181, 1], 128, 10, new(Stride: 5), bias: false),
        Of("one channel in, 512 out", [1, 361, 1], 512, 10, new(Stride: 5)),
        new(Op, "frozen convolution")
        {
            Inputs =
            [
                Normal("x", 2, 9, 4).Constant(), Normal("w", 5, 3, 4).Constant(), Normal("gamma", 5), Normal("beta", 5),
            ],
            ReductionLength = 15,
            Run = o => Ops.Conv1dLayerNorm(o[0], o[1], null, o[2], o[3], activation: Activation.Gelu),
        },
        new(Op, "frozen norm")
        {
            Inputs =
            [
                Normal("x", 2, 9, 4), Normal("w", 5, 3, 4), Normal("gamma", 5).Constant(), Normal("beta", 5).Constant(),
            ],
            ReductionLength = 15,
            Run = o => Ops.Conv1dLayerNorm(o[0], o[1], null, o[2], o[3], new(Stride: 2), activation: Activation.Gelu),
        },
        Of("audio, layer 0", [2, 16000, 1], 512, 10, new(Stride: 5), bias: false, size: CaseSize.Real),
        Of("audio, layers 1 to 4", [1, 1599, 512], 512, 3, new(Stride: 2), bias: false, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "a kernel longer than the input", "the kernel needs 5 frames", [Normal("x", 1, 4, 2), Normal("w", 3, 5, 2)],
            o => Ops.Conv1dLayerNorm(o[0], o[1], null, null, null)),
        new(Op, "gamma of another width", "gamma must have shape (3)",
            [Normal("x", 1, 4, 2), Normal("w", 3, 2, 2), Normal("gamma", 2)],
            o => Ops.Conv1dLayerNorm(o[0], o[1], null, o[2], null)),
        new(Op, "beta of another width", "beta must have shape (3)",
            [Normal("x", 1, 4, 2), Normal("w", 3, 2, 2), Normal("beta", 4)],
            o => Ops.Conv1dLayerNorm(o[0], o[1], null, null, o[2])),
    ];

    private static OpCase Of(
        string name, int[] x, int outs, int kernel, Conv1dOptions? options = null, bool bias = true, bool affine = true,
        Activation activation = Activation.Gelu, CaseSize size = CaseSize.Tiny)
    {
        var how = options ?? Conv1dOptions.Default;
        var ins = x[2] / how.Groups;
        var frames = (double)x[0] * how.OutputTime(x[1], kernel);
        var bound = MathF.Sqrt(3f / (kernel * ins));
        List<Input> inputs = [Normal("x", x), Uniform("w", -bound, bound, outs, kernel, ins)];
        if (bias) inputs.Add(Normal("b", outs));
        if (affine) inputs.AddRange([Normal("gamma", outs), Normal("beta", outs)]);
        Tensor? Bias(Operands o) => bias ? o[2] : null;
        Tensor? Gamma(Operands o) => affine ? o[bias ? 3 : 2] : null;
        Tensor? Beta(Operands o) => affine ? o[bias ? 4 : 3] : null;
        return new(Op, name)
        {
            Size = size,
            Inputs = [.. inputs],
            Run = o => Ops.Conv1dLayerNorm(o[0], o[1], Bias(o), Gamma(o), Beta(o), options, activation: activation),
            ReductionLength = (long)Math.Max(frames, Math.Max(outs, kernel * Math.Max(ins, outs / how.Groups))),
            Flops = 2 * frames * outs * kernel * ins,
            Composite = size == CaseSize.Tiny
                ? o => Ops.LayerNorm(Ops.Conv1d(o[0], o[1], Bias(o), options), Gamma(o), Beta(o), activation: activation)
                : null,
        };
    }
}
