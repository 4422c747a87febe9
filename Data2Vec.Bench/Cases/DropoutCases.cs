using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>
/// Dropout of elements and of whole samples: bits from the seed, the same on every device, or an explicit keep mask.
/// </summary>
internal static class DropoutCases
{
    private const string Op = nameof(IBackend.Dropout);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd size", 0.3, 3, 37),
        Of("below a vector", 0.5, 3),
        Of("scalar", 0.5),
        Of("nothing", 0.5, 0),
        Of("high probability", 0.95, 301),
        Of("several chunks", 0.1, 3, 3001),
        new(Op, "no dropout at all") { Inputs = [Normal("x", 37)], Run = o => Ops.Add(Ops.Dropout(o[0], default), o[0]) },
        new(Op, "another site") { Inputs = [Normal("x", 37)], Run = o => Ops.Dropout(o[0], o.Dropout(0.3, site: 77)) },
        new(Op, "given keep mask")
        {
            Inputs = [Normal("x", 3, 17), Mask("keep", 0.6f, 3, 17)], Run = o => Ops.Dropout(o[0], o.Keep(0.4, 1)),
            Composite = o => Ops.Affine(Ops.Where(o[1], o[0], Tensor.Zeros(o.Device, new Shape(), o.Type)), 1 / (1 - 0.4)),
        },
        Path("samples", 0.3, 7, 5, 3),
        Path("samples of one element", 0.5, 37),
        Path("samples below a vector", 0.5, 9, 3),
        Path("no samples", 0.5, 0, 3),
        Path("samples of nothing", 0.5, 3, 0),
        Path("samples of several chunks", 0.5, 3, 15, 2003),
        new(Op, "samples, given keep mask")
        {
            Inputs = [Normal("x", 5, 3, 7), Mask("keep", 0.6f, 5)], Run = o => Ops.DropPath(o[0], o.Keep(0.4, 1)),
            Composite = o => Ops.Affine(
                Ops.Where(o[1].Reshape(5, 1, 1), o[0], Tensor.Zeros(o.Device, new Shape(), o.Type)), 1 / (1 - 0.4)),
        },
        new(Op, "hidden of vision base, samples")
        {
            Size = CaseSize.Real, Inputs = [Normal("x", 16, 197, 768)], Run = o => Ops.DropPath(o[0], o.Dropout(0.25)),
        },
        new(Op, "hidden of base") { Size = CaseSize.Real, Inputs = [Normal("x", 4, 128, 768)], Run = o => Ops.Dropout(o[0], o.Dropout(0.1)) },
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "a probability of 1", "probability must lie in [0, 1)", [Normal("x", 5)], o => Ops.Dropout(o[0], o.Dropout(1))),
        new(Op, "no step values", "step values was not given", [Normal("x", 5)], o => Ops.Dropout(o[0], new DropoutSource(0.5, 1, default, default))),
        new(Op, "a scalar as samples", "x must be [samples, ...]", [Normal("x")], o => Ops.DropPath(o[0], o.Dropout(0.5))),
        new(Op, "integers", "floating-point", [Index("x", 3, 5)], o => Ops.Dropout(o[0], o.Dropout(0.5))),
    ];

    private static OpCase Path(string name, double probability, params int[] shape) =>
        new(Op, name) { Inputs = [Normal("x", shape)], Run = o => Ops.DropPath(o[0], o.Dropout(probability)) };

    private static OpCase Of(string name, double probability, params int[] shape) =>
        new(Op, name) { Inputs = [Normal("x", shape)], Run = o => Ops.Dropout(o[0], o.Dropout(probability)) };
}
