using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Movement between layouts: permute, slice, concat, stack, pad, expand.</summary>
internal static class StridedCopyCases
{
    private const string Op = nameof(IBackend.StridedCopy);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("transpose", o => Ops.Transpose(o[0]), Normal("x", 5, 19)),
        Of("transpose, several tiles", o => Ops.Transpose(o[0]), Normal("x", 37, 70)),
        Of("transpose matrices", o => Ops.Permute(o[0], 1, 0, 3, 2), Normal("x", 2, 3, 9, 35)),
        Of("permute rank 4", o => Ops.Permute(o[0], 2, 0, 3, 1), Normal("x", 2, 3, 4, 5)),
        Of("permute, last stays", o => Ops.Permute(o[0], 0, 2, 1, 3), Normal("x", 2, 3, 5, 17)),
        Of("permute nothing", o => Ops.Permute(o[0], 1, 0, 2), Normal("x", 2, 0, 3)),
        Of("permute integers", o => Ops.Transpose(o[0]), Index("x", 99, 5, 7)),
        Of("permute int64", o => Ops.Transpose(o[0]), Index("x", 99, 5, 7).Wide()),
        Of("permute bool", o => Ops.Transpose(o[0]), Mask("x", 0.5f, 5, 7)),
        Of("slice of the first dimension", o => Ops.Slice(o[0], 0, 1, 4), Normal("x", 6, 7)),
        Of("slice with a step", o => Ops.Slice(o[0], 1, 1, 18, 3), Normal("x", 5, 19)),
        Of("slice of bools with a step", o => Ops.Slice(o[0], 1, 1, 18, 3), Mask("x", 0.5f, 5, 19)),
        Of("slice from the end", o => Ops.Slice(o[0], -1, -5), Normal("x", 3, 19)),
        Of("slice of nothing", o => Ops.Slice(o[0], 1, 4, 4), Normal("x", 3, 19)),
        new(Op, "overlapping slices add their gradients")
        {
            Inputs = [Normal("x", 6, 7)], Run = o => Ops.Add(Ops.Slice(o[0], 0, 0, 4), Ops.Slice(o[0], 0, 2, 6)), ReductionLength = 2,
        },
        Of("concat", o => Ops.Concat([o[0], o[1], o[2]], 1), Normal("x", 3, 5, 2), Normal("y", 3, 1, 2), Normal("z", 3, 4, 2)),
        Of("concat, last dimension", o => Ops.Concat([o[0], o[1]], -1), Normal("x", 3, 5), Normal("y", 3, 17)),
        Of("concat with nothing", o => Ops.Concat([o[0], o[1]], 0), Normal("x", 3, 5), Normal("y", 0, 5)),
        Of("stack", o => Ops.Stack([o[0], o[1]], 1), Normal("x", 3, 5), Normal("y", 3, 5)),
        Of("pad", o => Ops.Pad(o[0], [(1, 2), (0, 3)], 0.5), Normal("x", 3, 5)),
        new(Op, "expand") { Inputs = [Normal("x", 3, 1, 5)], Run = o => Ops.Expand(o[0], new Shape(2, 3, 4, 5)), ReductionLength = 8 },
        Of("reshape after permute", o => Ops.Permute(o[0], 1, 0, 2).Reshape(4, 15), Normal("x", 3, 4, 5)),
        new(Op, "heads of base")
        {
            Size = CaseSize.Real, Inputs = [Normal("x", 4, 128, 12, 64)], Run = o => Ops.Permute(o[0], 0, 2, 1, 3),
        },
        new(Op, "transpose of base weights") { Size = CaseSize.Real, Inputs = [Normal("x", 3072, 768)], Run = o => Ops.Transpose(o[0]) },
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "a dimension named twice", "twice", [Normal("x", 3, 4)], o => Ops.Permute(o[0], 1, 1)),
        new(Op, "too few dimensions", "dimensions; got 1", [Normal("x", 3, 4)], o => Ops.Permute(o[0], 0)),
        new(Op, "a step of 0", "step must be positive", [Normal("x", 3, 4)], o => Ops.Slice(o[0], 0, 0, 2, 0)),
        new(Op, "concat of other shapes", "agree outside dimension 0", [Normal("x", 3, 4), Normal("y", 3, 5)], o => Ops.Concat([o[0], o[1]], 0)),
        new(Op, "a negative border", "negative", [Normal("x", 3)], o => Ops.Pad(o[0], [(-1, 0)])),
        new(Op, "expand to less", "does not expand", [Normal("x", 3)], o => Ops.Expand(o[0], new Shape(1))),
    ];

    private static OpCase Of(string name, Func<Operands, Tensor> run, params Input[] inputs) => new(Op, name) { Inputs = inputs, Run = run };
}
