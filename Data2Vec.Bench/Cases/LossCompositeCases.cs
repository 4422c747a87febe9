using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Losses that the engine composes of other operations.</summary>
internal static class LossCompositeCases
{
    private const string Binary = nameof(Ops.BinaryCrossEntropyWithLogits);
    private const string Huber = nameof(Ops.Huber);
    private const string Divergence = nameof(Ops.KlDivergence);

    public static IEnumerable<OpCase> Cases =>
    [
        .. Enum.GetValues<Reduction>().Select(r => YesOrNo($"{r}", Normal("x", 5, 7), [5, 7], r)),
        YesOrNo("scalar", Normal("x"), [], Reduction.Mean),
        YesOrNo("sum of nothing", Normal("x", 0, 7), [0, 7], Reduction.Sum),
        YesOrNo("certain logits", Uniform("x", -40, 40, 5, 7), [5, 7], Reduction.Sum),
        new(Binary, "hard targets")
        {
            Inputs = [Uniform("x", -20, 20, 5, 7), Mask("y", 0.5f, 5, 7)], ReductionLength = 35,
            Run = o => Ops.BinaryCrossEntropyWithLogits(o[0], Ops.Cast(o[1], o.Type), reduction: Reduction.Sum),
            // -log of the probability of the right answer.
            Composite = o => Ops.Sum(Ops.Neg(Ops.LogSoftmax(Ops.Stack(
                [Ops.Where(o[1], o[0], Ops.Neg(o[0])), Tensor.Zeros(o.Device, o[0].Shape, o.Type)], 0), 0).Part(0))),
        },
        .. Enum.GetValues<Reduction>().SelectMany(r => new OpCase[]
        {
            new(Huber, $"{r}")
            {
                Inputs = [Normal("x", 5, 7), Normal("t", 5, 7)], ReductionLength = 35,
                Run = o => Ops.Huber(o[0], o[1], 0.7, r),
            },
            new(Divergence, $"{r}")
            {
                Inputs = [Normal("x", 5, 7), Uniform("t", 0.1f, 1, 5, 7)], ReductionLength = 35,
                Run = o => Ops.KlDivergence(Ops.LogSoftmax(o[0]), o[1], reduction: r),
                Composite = o => Ops.KlDivergence(Ops.LogSoftmax(o[0]), Ops.Log(o[1]), logTarget: true, r),
            },
        }),
        new(Divergence, "targets of 0")
        {
            Inputs = [Normal("x", 2, 3), Given("t", [0f, 1, 0, 0.25f, 0.75f, 0], 2, 3)],
            Run = o => Ops.KlDivergence(o[0], o[1], reduction: Reduction.None),
            NoGradientProof = "t log t has no derivative at 0",
        },
        new(Binary, "weights")
        {
            Inputs =
            [
                Normal("x", 5, 7), Uniform("y", 0, 1, 5, 7), Uniform("w", 0.5f, 2, 5, 1), Uniform("p", 0.5f, 3, 7),
            ],
            ReductionLength = 35, Run = o => Ops.BinaryCrossEntropyWithLogits(o[0], o[1], o[2], o[3]),
        },
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Huber, "a delta of 0", "delta must be positive", [Normal("x", 3)], o => Ops.Huber(o[0], o[0], 0)),
        new(Divergence, "a target of another shape", "the shape of log-probabilities (3)",
            [Normal("x", 3), Normal("t", 4)], o => Ops.KlDivergence(o[0], o[1])),
        new(Binary, "targets of another shape", "the shape of logits", [Normal("x", 3), Normal("y", 4)],
            o => Ops.BinaryCrossEntropyWithLogits(o[0], o[1])),
        new(Binary, "a weight that does not broadcast", "a weight must broadcast", [Normal("x", 3), Normal("w", 2, 3)],
            o => Ops.BinaryCrossEntropyWithLogits(o[0], o[0], o[1])),
    ];

    private static OpCase YesOrNo(string name, Input x, int[] shape, Reduction reduction) => new(Binary, name)
    {
        Inputs = [x, Uniform("y", 0, 1, shape)], ReductionLength = Math.Max(1, x.Shape.Count),
        Run = o => Ops.BinaryCrossEntropyWithLogits(o[0], o[1], reduction: reduction),
    };

    private static Tensor Part(this Tensor x, int index) =>
        Ops.Reshape(Ops.Slice(x, 0, index, index + 1), x.Shape.Slice(1, x.Shape.Rank - 1));
}
