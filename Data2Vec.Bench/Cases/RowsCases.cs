using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Rows by index and by mask: embedding, selection, scatter, replacement.</summary>
internal static class RowsCases
{
    private const string Gather = nameof(IBackend.GatherRows);
    private const string Scatter = nameof(IBackend.ScatterRows);
    private const string Masked = nameof(IBackend.MaskRows);

    public static IEnumerable<OpCase> Cases =>
    [
        .. GatherCases,
        .. ScatterCases,
        .. MaskCases,
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Gather, "an index past the end", "5", [Normal("x", 5, 3), Indices("rows", 1, 5)], o => Ops.GatherRows(o[0], o[1])),
        new(Gather, "a negative index", "-1", [Normal("x", 5, 3), Indices("rows", 1, -1)], o => Ops.GatherRows(o[0], o[1])),
        new(Gather, "indices that are numbers", "int32 or int64", [Normal("x", 5, 3), Normal("rows", 2)], o => Ops.GatherRows(o[0], o[1])),
        new(Scatter, "an index past the end", "7", [Normal("y", 5, 3), Indices("rows", 1, 7), Normal("x", 2, 3)],
            o => Ops.ScatterRows(o[0], o[1], o[2])),
        new(Scatter, "rows of another width", "ScatterRows", [Normal("y", 5, 3), Indices("rows", 1, 2), Normal("x", 2, 4)],
            o => Ops.ScatterRows(o[0], o[1], o[2])),
        new(Masked, "a mask of another length", "leading dimensions of x", [Normal("x", 5, 3), Mask("m", 0.5f, 4)], o => Ops.MaskRows(o[0], o[1])),
        new(Masked, "a mask of numbers", "must be bool", [Normal("x", 5, 3), Normal("m", 5)], o => Ops.MaskRows(o[0], o[1])),
        new(Masked, "a vector of another width", "vector must have shape (3)", [Normal("x", 5, 3), Mask("m", 0.5f, 5), Normal("v", 4)],
            o => Ops.MaskRows(o[0], o[1], o[2])),
    ];

    private static IEnumerable<OpCase> GatherCases =>
    [
        Select("odd width", Normal("x", 7, 19), Index("rows", 7, 5)),
        Select("int64", Normal("x", 7, 19), Index("rows", 7, 5).Wide()),
        Select("below a vector", Normal("x", 7, 3), Index("rows", 7, 4)),
        Select("one row again and again", Normal("x", 7, 19), Indices("rows", 3, 3, 3, 3, 3, 3, 3), 7),
        Select("no rows", Normal("x", 7, 19), Indices("rows")),
        Select("indices of rank 2", Normal("x", 7, 19), Index("rows", 7, 3, 5), 15),
        Select("many repeated", Normal("x", 5, 9), Index("rows", 5, 301), 301),
        Select("integers", Index("x", 99, 7, 19), Index("rows", 7, 5)),
        Select("bools", Mask("x", 0.5f, 7, 19), Index("rows", 7, 5)),
        new(Gather, "embedding with a padding row")
        {
            Inputs = [Normal("table", 7, 19), Indices("ids", 0, 1, 4, 1, 1, 6)], Run = o => Ops.Embedding(o[0], o[1], paddingRow: 1), ReductionLength = 3,
            NoGradientProof = "the padding row takes no gradient by decision",
        },
        new(Gather, "table used twice")
        {
            Inputs = [Normal("table", 7, 9), Index("a", 7, 5), Index("b", 7, 5)], ReductionLength = 10,
            Run = o => Ops.Add(Ops.Embedding(o[0], o[1]), Ops.Embedding(o[0], o[2])),
        },
        Select("words of base", Normal("x", 50265, 768), Index("rows", 50265, 4, 128), size: CaseSize.Real),
        Select("masked rows of base", Normal("x", 512, 768), DistinctIndex("rows", 512, 77), size: CaseSize.Real),
    ];

    private static IEnumerable<OpCase> ScatterCases =>
    [
        Write("replace", 7, 19, DistinctIndex("rows", 7, 4), 4, add: false),
        Write("replace, whole vectors", 7, 24, DistinctIndex("rows", 7, 4), 4, add: false),
        new(Scatter, "replace int64")
        {
            Inputs = [Index("y", 99, 7, 19).Wide(), DistinctIndex("rows", 7, 4), Index("x", 99, 4, 19).Wide()],
            Run = o => Ops.ScatterRows(o[0], o[1], o[2]),
        },
        new(Scatter, "replace bools")
        {
            Inputs = [Mask("y", 0.5f, 7, 19), DistinctIndex("rows", 7, 4), Mask("x", 0.5f, 4, 19)],
            Run = o => Ops.ScatterRows(o[0], o[1], o[2]),
        },
        Write("add", 7, 19, DistinctIndex("rows", 7, 4), 4, add: true),
        Write("add, repeated", 5, 19, Index("rows", 5, 13), 13, add: true),
        Write("add, int64", 5, 3, Index("rows", 5, 9).Wide(), 9, add: true),
        Write("no rows", 5, 3, Indices("rows"), 0, add: false),
        Write("masked rows of base", 512, 768, DistinctIndex("rows", 512, 77), 77, add: false, CaseSize.Real),
    ];

    private static IEnumerable<OpCase> MaskCases =>
    [
        Replace("by a vector", [7], 19, vector: true),
        Replace("by zeros", [7], 19, vector: false),
        Replace("whole vectors", [7], 24, vector: true),
        Replace("half vectors", [7], 20, vector: true),
        Replace("leading dimensions", [2, 5], 9, vector: true),
        Replace("below a vector", [5], 3, vector: true),
        Replace("many rows", [301], 9, vector: true),
        Replace("nothing", [0], 9, vector: true),
        new(Masked, "vector used twice")
        {
            Inputs = [Normal("x", 7, 9), Mask("mask", 0.4f, 7), Normal("v", 9), Mask("mask2", 0.4f, 7)], ReductionLength = 14,
            Run = o => Ops.MaskRows(Ops.Affine(Ops.MaskRows(o[0], o[1], o[2]), 2), o[3], o[2]),
        },
        Replace("mask embedding of base", [4, 128], 768, vector: true, CaseSize.Real),
    ];

    private static OpCase Select(string name, Input x, Input rows, long reduction = 5, CaseSize size = CaseSize.Tiny) =>
        new(Gather, name)
        {
            Size = size, Inputs = [x, rows], Run = o => Ops.GatherRows(o[0], o[1]), ReductionLength = reduction,
            Bytes = 8 * rows.Shape.Count * x.Shape[1],
        };

    private static OpCase Write(string name, int rows, int columns, Input indices, int count, bool add, CaseSize size = CaseSize.Tiny) =>
        new(Scatter, name)
        {
            Size = size, Inputs = [Normal("y", rows, columns), indices, Normal("x", count, columns)], ReductionLength = Math.Max(1, add ? count : 1),
            Run = o => Ops.ScatterRows(o[0], o[1], o[2], add),
        };

    private static OpCase Replace(string name, int[] rows, int columns, bool vector, CaseSize size = CaseSize.Tiny)
    {
        Input[] inputs = [Normal("x", [.. rows, columns]), Mask("mask", 0.4f, rows)];
        return new(Masked, name)
        {
            Size = size, Inputs = vector ? [.. inputs, Normal("v", columns)] : inputs,
            Run = o => Ops.MaskRows(o[0], o[1], vector ? o[2] : null), ReductionLength = Math.Max(1, rows.Aggregate(1, (a, b) => a * b)),
            Composite = o => Ops.Where(
                Ops.Reshape(o[1], o[1].Shape.Append(1)), vector ? o[2] : Tensor.Zeros(o.Device, new Shape(), o.Type), o[0]),
        };
    }
}
