using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Windows over images and time, and products along a dimension, that the engine composes.</summary>
internal static class WindowCases
{
    private const string Unfold = nameof(Ops.Unfold2d);
    private const string Convolution = nameof(Ops.Conv2d);
    private const string Transposed = nameof(Ops.ConvTranspose1d);
    private const string Running = nameof(Ops.CumulativeSum);
    private const string Pool = nameof(Ops.AveragePool1d);
    private const string Adaptive = nameof(Ops.AdaptiveAveragePool1d);

    public static IEnumerable<OpCase> Cases =>
    [
        Windows("one by one", [2, 4, 5, 3], new((2, 3))),
        Windows("every option", [2, 5, 7, 2], new((2, 3), (2, 1), (1, 2), (2, 1))),
        Windows("no samples", [0, 4, 5, 3], new((2, 2))),
        Images("one by one", [2, 4, 5, 3], 7, new((2, 3)), 1),
        Images("every option, groups", [2, 5, 7, 4], 6, new((2, 3), (2, 1), (1, 2), (2, 1)), 2),
        new(Convolution, "patches")
        {
            Inputs = [Normal("x", 2, 4, 6, 3), Normal("w", 5, 2, 2, 3), Normal("b", 5)], ReductionLength = 18,
            Run = o => Ops.Conv2d(o[0], o[1], o[2], new((2, 2), (2, 2), (0, 0), (1, 1))).Reshape(2, 6, 5),
            Composite = o => Ops.PatchEmbedding(o[0], o[1], o[2]),
        },
        Grown("as a convolution", [2, 5, 3], 4, 3, new()),
        Grown("every option", [2, 5, 4], 6, 3, new(3, 1, 2, 2), outputPadding: 2),
        Grown("padding beyond the kernel", [2, 5, 3], 4, 2, new(2, 3)),
        new(Transposed, "each frame repeated")
        {
            Inputs = [Normal("x", 2, 5, 3)],
            Run = o => Ops.ConvTranspose1d(
                o[0], Ops.Expand(Eye(o, 3).Reshape(3, 1, 3), new Shape(3, 2, 3)), null, new Conv1dOptions(2)),
            Composite = o => Ops.Reshape(
                Ops.Expand(Ops.Unsqueeze(o[0], 2), new Shape(2, 5, 2, 3)), new Shape(2, 10, 3)),
        },
        Sums("last dimension", [3, 17], -1),
        Sums("first dimension", [17, 3], 0),
        Sums("nothing", [0, 3], 0),
        Sums("scalar", [], 0),
        Means("whole windows", [2, 7, 3], 3, 2),
        Means("padding that counts", [2, 7, 3], 4, 3, 2),
        Means("padding that does not count", [2, 7, 3], 3, 1, 1, counts: false),
        Means("a partial window", [2, 8, 3], 3, 2, partial: true),
        .. new[] { 1, 3, 5, 9 }.Select(size => new OpCase(Adaptive, $"7 frames to {size}")
        {
            Inputs = [Normal("x", 2, 7, 3)], ReductionLength = 9, Run = o => Ops.AdaptiveAveragePool1d(o[0], size),
            Composite = size == 1 ? o => Ops.Mean(o[0], [1], keepDimensions: true) : null,
        }),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Unfold, "a window larger than the image", "does not fit", [Normal("x", 1, 2, 3, 1)],
            o => Ops.Unfold2d(o[0], new((3, 1)))),
        new(Unfold, "no batch", "[batch, height, width, channels]", [Normal("x", 2, 3, 1)],
            o => Ops.Unfold2d(o[0], new((1, 1)))),
        new(Unfold, "a window that does not move", "must be positive", [Normal("x", 1, 2, 3, 1)],
            o => Ops.Unfold2d(o[0], new((1, 1), (0, 1), (0, 0), (1, 1)))),
        new(Convolution, "channels that differ", "weight must be", [Normal("x", 1, 4, 4, 2), Normal("w", 3, 2, 2, 1)],
            o => Ops.Conv2d(o[0], o[1], null, new((2, 2)))),
        new(Convolution, "a bias of another length", "bias must have shape (3)",
            [Normal("x", 1, 4, 4, 2), Normal("w", 3, 2, 2, 2), Normal("b", 2)],
            o => Ops.Conv2d(o[0], o[1], o[2], new((2, 2)))),
        new(Transposed, "channels that differ", "weight [Cin, K, Cout / 1]",
            [Normal("x", 1, 4, 3), Normal("w", 2, 3, 3)], o => Ops.ConvTranspose1d(o[0], o[1], null, new())),
        new(Transposed, "more padding behind than a step", "smaller than stride or dilation",
            [Normal("x", 1, 4, 3), Normal("w", 3, 3, 2)], o => Ops.ConvTranspose1d(o[0], o[1], null, new(2), 2)),
        new(Running, "a dimension that is not there", "no dimension 1", [Normal("x", 3)],
            o => Ops.CumulativeSum(o[0], 1)),
        new(Pool, "a window larger than the time", "does not fit", [Normal("x", 1, 3, 2)],
            o => Ops.AveragePool1d(o[0], 5, 1)),
        new(Pool, "padding of more than half a window", "at most half", [Normal("x", 1, 9, 2)],
            o => Ops.AveragePool1d(o[0], 2, 1, 4)),
        new(Adaptive, "no windows", "for 0 windows", [Normal("x", 1, 3, 2)], o => Ops.AdaptiveAveragePool1d(o[0], 0)),
    ];

    private static OpCase Windows(string name, int[] shape, Window2d window) => new(Unfold, name)
    {
        Inputs = [Normal("x", shape)], ReductionLength = window.Kernel.Y * window.Kernel.X,
        Run = o => Ops.Unfold2d(o[0], window),
    };

    private static OpCase Images(string name, int[] shape, int outputs, Window2d window, int groups)
    {
        int[] weight = [outputs, window.Kernel.Y, window.Kernel.X, shape[3] / groups];
        return new(Convolution, name)
        {
            Inputs = [Normal("x", shape), Normal("w", weight), Normal("b", outputs)],
            ReductionLength = shape[0] * shape[1] * shape[2] * shape[3],
            Run = o => Ops.Conv2d(o[0], o[1], o[2], window, groups),
        };
    }

    private static OpCase Grown(
        string name, int[] shape, int outputs, int kernel, Conv1dOptions options, int outputPadding = 0) =>
        new(Transposed, name)
        {
            Inputs =
            [
                Normal("x", shape), Normal("w", shape[2], kernel, outputs / options.Groups), Normal("b", outputs),
            ],
            ReductionLength = shape[0] * shape[1] * Math.Max(shape[2], outputs),
            Run = o => Ops.ConvTranspose1d(o[0], o[1], o[2], options, outputPadding),
        };

    private static OpCase Sums(string name, int[] shape, int dimension) => new(Running, name)
    {
        Inputs = [Normal("x", shape)], ReductionLength = 17, Run = o => Ops.CumulativeSum(o[0], dimension),
    };

    private static OpCase Means(
        string name, int[] shape, int kernel, int stride, int padding = 0, bool partial = false, bool counts = true) =>
        new(Pool, name)
        {
            Inputs = [Normal("x", shape)], ReductionLength = kernel,
            Run = o => Ops.AveragePool1d(o[0], kernel, stride, padding, partial, counts),
        };

    private static Tensor Eye(Operands o, int n) => Tensor.FromDoubles(o.Device,
        [.. Enumerable.Range(0, n * n).Select(i => i / n == i % n ? 1.0 : 0)], new Shape(n, n), o.Type);
}
