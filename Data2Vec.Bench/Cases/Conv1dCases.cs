using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Convolutions over time: strides, padding, dilation, groups, fused bias and activation.</summary>
internal static class Conv1dCases
{
    private const string Op = nameof(IBackend.Conv1d);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd sizes", [2, 11, 3], 5, 3),
        Of("no bias", [2, 11, 3], 5, 3, bias: false),
        Of("GELU", [2, 11, 3], 5, 3, activation: Activation.Gelu),
        Of("tanh GELU, no bias", [2, 11, 3], 5, 3, bias: false, activation: Activation.GeluTanh),
        Of("kernel of one", [2, 7, 5], 9, 1),
        Of("kernel of one, stride 3", [2, 8, 5], 9, 1, new(Stride: 3)),
        Of("one output frame", [2, 4, 3], 5, 4),
        Of("stride 2", [2, 12, 3], 5, 3, new(Stride: 2)),
        Of("stride 2, last frame unused", [2, 13, 3], 5, 2, new(Stride: 2)),
        Of("stride 3, kernel 4", [2, 14, 3], 5, 4, new(Stride: 3)),
        Of("stride larger than the kernel", [2, 20, 3], 5, 3, new(Stride: 7)),
        Of("padding", [2, 7, 3], 5, 3, new(Padding: 1)),
        Of("padding larger than the kernel", [2, 5, 3], 5, 3, new(Padding: 4)),
        Of("only padding makes the kernel fit", [2, 3, 4], 4, 9, new(Padding: 4)),
        Of("even kernel, padding", [2, 9, 3], 4, 4, new(Padding: 2)),
        Of("stride and padding", [2, 11, 3], 4, 5, new(Stride: 2, Padding: 2)),
        Of("dilation", [2, 13, 3], 5, 3, new(Dilation: 3)),
        Of("dilation and stride with a common factor", [2, 23, 3], 5, 4, new(Stride: 4, Dilation: 6, Padding: 3)),
        Of("dilation that is a multiple of the stride", [2, 19, 3], 5, 3, new(Stride: 2, Dilation: 4)),
        Of("groups", [2, 9, 6], 9, 3, new(Groups: 3)),
        Of("groups of one channel", [2, 9, 5], 5, 3, new(Padding: 1, Groups: 5)),
        Of("groups of one channel to several", [2, 9, 3], 12, 3, new(Groups: 3)),
        Of("everything at once", [2, 21, 4], 6, 4, new(Stride: 2, Padding: 5, Dilation: 3, Groups: 2),
            activation: Activation.Gelu),
        Of("no samples", [0, 9, 3], 5, 3, activation: Activation.Gelu),
        Of("one channel in, as of sound", [2, 93, 1], 37, 10, new(Stride: 5), bias: false),
        Of("one channel in, several blocks", [1, 1117, 1], 19, 10, new(Stride: 3)),
        Of("one channel in, parts of the frames", [1, 6000, 1], 40, 4, new(Stride: 2), bias: false),
        Of("more columns than a block", [1, 9, 3], 300, 3),
        Of("rows too wide for a whole block", [1, 43, 600], 8, 3, new(Dilation: 2, Padding: 1), bias: false),
        Of("one channel in and out", [2, 40, 1], 1, 5, new(Padding: 2)),
        Of("whole vectors, stride 2", [2, 41, 16], 32, 3, new(Stride: 2)),
        Of("several blocks, stride 2", [2, 603, 9], 34, 3, new(Stride: 2)),
        Of("several blocks, wide", [1, 130, 70], 65, 3, new(Stride: 2), bias: false),
        Of("positions: groups, long kernel, padding", [2, 37, 24], 24, 19, new(Padding: 9, Groups: 4)),
        Of("positions, several blocks", [1, 301, 12], 12, 5, new(Padding: 2, Groups: 2)),
        Of("dilation, several blocks", [1, 301, 4], 6, 3, new(Dilation: 2, Padding: 2)),
        new(Op, "weights used twice")
        {
            Inputs = [Normal("x", 2, 9, 4), Normal("w", 4, 3, 4), Normal("b", 4)],
            ReductionLength = 24, Flops = 4 * 2 * 9 * 4 * 12,
            Run = o => Ops.Conv1d(Ops.Conv1d(o[0], o[1], o[2], new(Padding: 1), Activation.Gelu), o[1], o[2]),
        },
        new(Op, "frozen weights")
        {
            Inputs = [Normal("x", 2, 9, 4), Normal("w", 5, 3, 4).Constant()], ReductionLength = 15,
            Run = o => Ops.Conv1d(o[0], o[1]),
        },
        new(Op, "frozen input")
        {
            Inputs = [Normal("x", 2, 9, 4).Constant(), Normal("w", 5, 3, 4), Normal("b", 5).Constant()],
            ReductionLength = 14,
            Run = o => Ops.Conv1d(o[0], o[1], o[2], new(Stride: 2), Activation.Gelu),
        },
        Of("audio, layer 0", [2, 16000, 1], 512, 10, new(Stride: 5), bias: false, size: CaseSize.Real),
        Of("audio, layers 1 to 4", [1, 1599, 512], 512, 3, new(Stride: 2), bias: false, size: CaseSize.Real),
        Of("audio, layers 5 and 6", [2, 399, 512], 512, 2, new(Stride: 2), bias: false, size: CaseSize.Real),
        Of("audio, positions", [2, 249, 768], 768, 19, new(Padding: 9, Groups: 16), size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        Refused("a kernel longer than the input", "the kernel needs 5 frames", [1, 4, 2], [3, 5, 2]),
        Refused("a dilated kernel longer than the input", "the kernel needs 7 frames", [1, 4, 2], [3, 4, 2],
            new(Dilation: 2, Padding: 1)),
        Refused("no frames", "the kernel needs 3 frames", [1, 0, 2], [3, 3, 2]),
        Refused("a stride of 0", "the stride must be at least 1", [1, 4, 2], [3, 2, 2], new(Stride: 0)),
        Refused("a negative padding", "the padding must not be negative", [1, 4, 2], [3, 2, 2], new(Padding: -1)),
        Refused("a dilation of 0", "the dilation must be at least 1", [1, 4, 2], [3, 2, 2], new(Dilation: 0)),
        Refused("no groups", "at least 1 group", [1, 4, 2], [3, 2, 2], new(Groups: 0)),
        Refused("groups that do not divide the channels", "4 groups must divide", [1, 4, 4], [6, 2, 1], new(Groups: 4)),
        Refused("no channels", "channels and kernel must be at least 1", [1, 4, 0], [3, 2, 0]),
        Refused("a weight for other channels", "weight must have 2 input channels", [1, 4, 4], [6, 2, 4],
            new(Groups: 2)),
        Refused("two dimensions", "x must be [batch, time, channels]", [4, 2], [3, 2, 2]),
        new(Op, "a bias of another length", "bias must have shape (3)",
            [Normal("x", 1, 4, 2), Normal("w", 3, 2, 2), Normal("b", 2)], o => Ops.Conv1d(o[0], o[1], o[2])),
        new(Op, "integers", "floating-point", [Index("x", 3, 1, 4, 2), Normal("w", 3, 2, 2)],
            o => Ops.Conv1d(o[0], o[1])),
    ];

    private static OpError Refused(string name, string fragment, int[] x, int[] w, Conv1dOptions? options = null) =>
        new(Op, name, fragment, [Normal("x", x), Normal("w", w)], o => Ops.Conv1d(o[0], o[1], null, options));

    private static OpCase Of(
        string name, int[] x, int outs, int kernel, Conv1dOptions? options = null, bool bias = true,
        Activation activation = Activation.None, CaseSize size = CaseSize.Tiny)
    {
        var how = options ?? Conv1dOptions.Default;
        var ins = x[2] / how.Groups;
        var frames = (double)x[0] * how.OutputTime(x[1], kernel);
        // Weights of deviation 1 / sqrt(terms) keep the sums before the activation near 1, as in a real layer.
        var bound = MathF.Sqrt(3f / (kernel * ins));
        Input[] operands = [Normal("x", x), Uniform("w", -bound, bound, outs, kernel, ins)];
        return new(Op, name)
        {
            Size = size,
            Inputs = bias ? [.. operands, Normal("b", outs)] : operands,
            Run = o => Ops.Conv1d(o[0], o[1], bias ? o[2] : null, options, activation),
            ReductionLength = (long)Math.Max(frames, kernel * Math.Max(ins, outs / how.Groups)),
            Flops = 2 * frames * outs * kernel * ins,
            Composite = size == CaseSize.Tiny && x[0] > 0
                ? o => Composed(o[0], o[1], bias ? o[2] : null, how, activation)
                : null,
        };
    }

    /// <summary>
    /// Every tap as a strided slice of the padded input, side by side, times the weight of each group.
    /// </summary>
    private static Tensor Composed(Tensor x, Tensor w, Tensor? bias, Conv1dOptions how, Activation activation)
    {
        var (kernel, ins) = (w.Shape[1], w.Shape[2]);
        var outs = w.Shape[0] / how.Groups;
        var padded = Ops.Pad(x, [(0, 0), (how.Padding, how.Padding), (0, 0)]);
        var frames = how.OutputTime(x.Shape[1], kernel);
        var groups = new Tensor[how.Groups];
        for (var g = 0; g < groups.Length; g++)
        {
            var channels = Ops.Slice(padded, 2, g * ins, (g + 1) * ins);
            var taps = new Tensor[kernel];
            for (var k = 0; k < kernel; k++)
            {
                var start = k * how.Dilation;
                taps[k] = Ops.Slice(channels, 1, start, start + (frames - 1) * how.Stride + 1, how.Stride);
            }
            var weight = Ops.Reshape(Ops.Slice(w, 0, g * outs, (g + 1) * outs), new Shape(outs, kernel * ins));
            groups[g] = Ops.MatMul(Ops.Concat(taps, 2), weight, transposeB: true);
        }
        var y = Ops.Concat(groups, 2);
        if (bias is not null) y = Ops.Add(y, bias);
        return activation == Activation.None ? y : Ops.Gelu(y, activation == Activation.GeluTanh);
    }
}
