using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Norms and what is made of them.</summary>
internal static class NormCompositeCases
{
    private const string Norm = nameof(Ops.Norm);
    private const string Deviation = nameof(Ops.StandardDeviation);
    private const string Cosine = nameof(Ops.CosineSimilarity);
    private const string Clip = nameof(Ops.ClipNorm);

    public static IEnumerable<OpCase> Cases =>
    [
        .. Powers.Select(p => new OpCase(Norm, $"p = {p}")
        {
            Inputs = [AwayFromZero("x", 5, 7)], ReductionLength = 7, Run = o => Ops.Norm(o[0], p, [1]),
        }),
        new(Norm, "p = 0")
        {
            Inputs = [Given("x", [0f, 1, 2, 0, 0, 3], 2, 3)], Run = o => Ops.Norm(o[0], 0, [1]),
            NoGradientProof = "a number of elements makes steps",
        },
        new(Norm, "of everything") { Inputs = [Normal("x", 5, 7)], ReductionLength = 35, Run = o => Ops.Norm(o[0]) },
        new(Norm, "of zeros")
        {
            Inputs = [Given("x", [0f, 0, 0], 3)], Run = o => Ops.Norm(o[0]),
            NoGradientProof = "0 is where the cone has its tip",
        },
        new(Deviation, "unbiased")
        {
            Inputs = [Normal("x", 5, 7)], ReductionLength = 7, Run = o => Ops.StandardDeviation(o[0], [1]),
        },
        new(Deviation, "biased, kept")
        {
            Inputs = [Normal("x", 5, 7)], ReductionLength = 5, Run = o => Ops.StandardDeviation(o[0], [0], 0, true),
        },
        new(Cosine, "last dimension")
        {
            Inputs = [Normal("x", 5, 7), Normal("y", 5, 7)], ReductionLength = 7,
            Run = o => Ops.CosineSimilarity(o[0], o[1]),
        },
        new(Cosine, "broadcast")
        {
            Inputs = [Normal("x", 5, 1, 7), Normal("y", 3, 7)], ReductionLength = 35,
            Run = o => Ops.CosineSimilarity(o[0], o[1], 2),
        },
        new(Cosine, "with nothing")
        {
            Inputs = [Normal("x", 5, 7), Given("y", new float[35], 5, 7).Constant()],
            Run = o => Ops.CosineSimilarity(o[0], o[1]),
        },
        .. new[] { 2, 1, double.PositiveInfinity }.SelectMany(p => new[] { 0.5, 1000 }, (p, bound) =>
            new OpCase(Clip, $"p = {p} at most {bound}")
            {
                Inputs = [AwayFromZero("x", 5, 7), AwayFromZero("y", 3)], ReductionLength = 38,
                Run = o =>
                {
                    var (norm, clipped) = Ops.ClipNorm([o[0], o[1]], bound, p);
                    return Ops.Concat([norm.Reshape(1), clipped[0].Reshape(-1), clipped[1]], 0);
                },
            }),
    ];

    private static double[] Powers => [2, 1, 0.5, 3, double.PositiveInfinity, double.NegativeInfinity];

    public static IEnumerable<OpError> Errors =>
    [
        new(Norm, "integers", "floating-point", [Index("x", 3, 5)], o => Ops.Norm(o[0])),
        new(Deviation, "a dimension that is not there", "no dimension 1", [Normal("x", 3)],
            o => Ops.StandardDeviation(o[0], [1])),
        new(Cosine, "shapes that do not broadcast", "do not broadcast", [Normal("x", 3, 4), Normal("y", 3, 5)],
            o => Ops.CosineSimilarity(o[0], o[1])),
        new(Clip, "a negative bound", "must not be negative", [Normal("x", 3)], o => Ops.ClipNorm([o[0]], -1).Norm),
        new(Clip, "nothing", "at least one tensor", [Normal("x", 3)], o => Ops.ClipNorm([], 1).Norm),
    ];
}
