using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Every channel of every sample normalised over time.</summary>
internal static class InstanceNormCases
{
    private const string Op = nameof(IBackend.InstanceNorm);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd sizes", 2, 7, 19),
        Of("below a vector", 1, 5, 3),
        Of("one channel", 2, 33, 1),
        // With a small eps two frames always give +1 and -1, and the gradient is a difference of equal numbers.
        Of("two frames", 2, 2, 9, eps: 0.5),
        Of("whole vectors", 1, 16, 32),
        Of("several chunks", 1, 301, 37),
        Of("no samples", 0, 3, 4),
        Of("large eps", 2, 7, 19, eps: 0.5),
        new(Op, "one frame gives zeros") { Inputs = [Normal("x", 2, 1, 5)], Run = o => Ops.InstanceNorm(o[0]) },
        Of("targets of base", 4, 128, 768, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "no frames", "at least one frame", [Normal("x", 2, 0, 4)], o => Ops.InstanceNorm(o[0])),
        new(Op, "two dimensions", "[batch, time, channels]", [Normal("x", 2, 4)], o => Ops.InstanceNorm(o[0])),
    ];

    private static OpCase Of(string name, int batch, int time, int channels, double eps = 1e-5, CaseSize size = CaseSize.Tiny) =>
        new(Op, name)
        {
            Size = size, Inputs = [Normal("x", batch, time, channels)], Run = o => Ops.InstanceNorm(o[0], eps), ReductionLength = time,
            Composite = size == CaseSize.Tiny ? o => Composed(o[0], eps) : null,
        };

    private static Tensor Composed(Tensor x, double eps)
    {
        var centred = Ops.Sub(x, Ops.Mean(x, [1], keepDimensions: true));
        var variance = Ops.Variance(x, [1], correction: 0, keepDimensions: true);
        return Ops.Div(centred, Ops.Sqrt(Ops.Affine(variance, 1, eps)));
    }
}
