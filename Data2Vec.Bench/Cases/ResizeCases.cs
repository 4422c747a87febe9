using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Tables brought to another grid.</summary>
internal static class ResizeCases
{
    private const string Op = nameof(Ops.Resize2d);

    public static IEnumerable<OpCase> Cases =>
    [
        .. Enum.GetValues<Interpolation>().SelectMany(Every),
        Of("Bicubic, a = -0.5", [4, 5, 2], 6, 8, Interpolation.Bicubic, cubic: -0.5),
        new(Op, "Bilinear to the middle of squares")
        {
            // Twice as many points between aligned corners: the new ones are means of two neighbours.
            Inputs = [Normal("x", 3, 2, 5)], ReductionLength = 3,
            Run = o => Ops.Resize2d(o[0], 5, 2, alignCorners: true),
            Composite = o =>
            {
                Tensor Row(int i) => Ops.Slice(o[0], 0, i, i + 1);
                Tensor Between(int i) => Ops.Affine(Ops.Add(Row(i), Row(i + 1)), 0.5);
                return Ops.Concat([Row(0), Between(0), Row(1), Between(1), Row(2)], 0);
            },
        },
        new(Op, "the same size is the same table")
        {
            Inputs = [Normal("x", 4, 5, 3)], Run = o => Ops.Resize2d(o[0], 4, 5, Interpolation.Bicubic),
            Composite = o => Ops.Affine(o[0], 1),
        },
        new(Op, "position table of base, 14 to 24")
        {
            Size = CaseSize.Real, Inputs = [Normal("x", 27, 27, 12)], ReductionLength = 47,
            Run = o => Ops.Resize2d(o[0], 47, 47, Interpolation.Bicubic),
            Flops = 2.0 * 12 * (47 * 27 * 27 + 47 * 47 * 27),
        },
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "no channels", "[height, width, channels]", [Normal("x", 3, 4)], o => Ops.Resize2d(o[0], 2, 2)),
        new(Op, "an empty grid", "[height, width, channels]", [Normal("x", 0, 4, 2)], o => Ops.Resize2d(o[0], 2, 2)),
        new(Op, "no new size", "at least 1 x 1", [Normal("x", 3, 4, 2)], o => Ops.Resize2d(o[0], 0, 2)),
        new(Op, "a scale of nothing", "scales must be positive", [Normal("x", 3, 4, 2)],
            o => Ops.Resize2d(o[0], 2, 2, scale: (0, 1))),
    ];

    private static IEnumerable<OpCase> Every(Interpolation mode) =>
    [
        Of($"{mode}, larger", [3, 5, 7], 8, 9, mode),
        Of($"{mode}, smaller", [9, 7, 3], 4, 3, mode),
        Of($"{mode}, a batch", [2, 3, 4, 5], 5, 3, mode),
        Of($"{mode}, aligned corners", [3, 5, 2], 7, 1, mode, aligned: true),
        Of($"{mode}, one row", [1, 2, 5], 3, 4, mode),
        Of($"{mode}, given scale", [4, 5, 2], 6, 8, mode, scale: (1.7, 1.7)),
        Of($"{mode}, no channels", [4, 5, 0], 6, 8, mode),
    ];

    private static OpCase Of(
        string name, int[] shape, int height, int width, Interpolation mode, bool aligned = false, double cubic = -0.75,
        (double, double)? scale = null) => new(Op, name)
        {
            Inputs = [Normal("x", shape)], ReductionLength = Math.Max(height, width),
            Run = o => Ops.Resize2d(o[0], height, width, mode, aligned, cubic, scale),
        };
}
