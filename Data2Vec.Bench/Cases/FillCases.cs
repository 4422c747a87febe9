using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Cases;

/// <summary>Constants.</summary>
internal static class FillCases
{
    private const string Op = nameof(IBackend.Fill);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd size", 0.1, null, 3, 17),
        Of("scalar", -2, null),
        Of("nothing", 1, null, 0, 3),
        Of("infinity", double.NegativeInfinity, null, 5),
        Of("int32", 7, DType.Int32, 37),
        Of("int64", -7, DType.Int64, 37),
        Of("bool", 1, DType.Bool, 37),
        new(Op, "hidden of base") { Size = CaseSize.Real, Inputs = [], Run = o => Tensor.Full(o.Device, new Shape(4, 128, 768), o.Type, 1) },
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "a negative extent", "must not be negative", [], o => Tensor.Full(o.Device, new Shape(3, -1), o.Type, 0)),
    ];

    private static OpCase Of(string name, double value, DType? type, params int[] shape) =>
        new(Op, name) { Inputs = [], Run = o => Tensor.Full(o.Device, new Shape(shape), type ?? o.Type, value) };
}
