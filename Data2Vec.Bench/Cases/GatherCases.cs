using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Single elements by index along a dimension, and back.</summary>
internal static class GatherCases
{
    private const string Gather = nameof(IBackend.Gather);
    private const string Scatter = nameof(IBackend.Scatter);

    public static IEnumerable<OpCase> Cases =>
    [
        Choose("last dimension", [5, 19], -1, [5, 7]),
        Choose("first dimension", [7, 19], 0, [3, 19]),
        Choose("middle dimension", [2, 7, 5], 1, [2, 9, 5]),
        Choose("fewer lines than there are", [4, 7, 5], 1, [3, 4, 2]),
        Choose("rank 1", [19], 0, [37]),
        Choose("scalar", [], 0, []),
        Choose("no indices", [5, 19], 1, [5, 0]),
        Choose("repeated", [3, 4], 1, [3, 301]),
        Choose("several chunks", [301, 9], 0, [301, 9]),
        new(Gather, "int64 indices, integers")
        {
            Inputs = [Index("x", 99, 5, 7), Index("index", 7, 5, 4).Wide()], Run = o => Ops.Gather(o[0], 1, o[1]),
        },
        new(Gather, "int64")
        {
            Inputs = [Index("x", 99, 5, 7).Wide(), Index("index", 7, 5, 4)], Run = o => Ops.Gather(o[0], 1, o[1]),
        },
        new(Gather, "bools")
        {
            Inputs = [Mask("x", 0.5f, 5, 19), Index("index", 19, 5, 14)], Run = o => Ops.Gather(o[0], 1, o[1]),
        },
        new(Gather, "log-probability of each class")
        {
            Inputs = [Normal("x", 7, 5), Index("index", 5, 7, 1)], ReductionLength = 5,
            Run = o => Ops.Neg(Ops.Gather(Ops.LogSoftmax(o[0]), 1, o[1]).Reshape(7)),
            Composite = o => Ops.CrossEntropy(o[0], o[1].Reshape(7), reduction: Reduction.None),
        },
        Write("replace", [5, 19], 1, [5, 1], add: false),
        Write("replace, first dimension", [7, 19], 0, [1, 19], add: false),
        Write("add", [5, 19], 1, [5, 7], add: true),
        Write("add, middle dimension", [4, 7, 5], 1, [3, 9, 2], add: true),
        Write("add, int64", [9, 3], 0, [301, 3], add: true, wide: true),
        new(Scatter, "replace int64")
        {
            Inputs = [Index("y", 99, 5, 19).Wide(), Index("x", 99, 5, 1).Wide(), Index("index", 19, 5, 1)],
            Run = o => Ops.Scatter(o[0], 1, o[2], o[1]),
        },
        new(Scatter, "replace bools")
        {
            Inputs = [Mask("y", 0.5f, 5, 19), Mask("x", 0.5f, 5, 1), Index("index", 19, 5, 1)],
            Run = o => Ops.Scatter(o[0], 1, o[2], o[1]),
        },
        Write("no indices", [5, 3], 0, [0, 3], add: true),
        Write("scalar", [], 0, [], add: true),
        new(Scatter, "the last of equal indices wins")
        {
            Inputs = [Normal("y", 3, 4), Normal("x", 3, 5).Constant(), Index("index", 4, 3, 5)],
            Run = o => Ops.Scatter(o[0], 1, o[2], o[1]),
        },
        new(Gather, "scores of base")
        {
            Size = CaseSize.Real, Inputs = [Normal("x", 512, 50265), Index("index", 50265, 512, 1)], Bytes = 12 * 512,
            Run = o => Ops.Gather(o[0], 1, o[1]),
        },
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Gather, "an index past the end", "position 1 is 4", [Normal("x", 2, 4), Index2(0, 4)],
            o => Ops.Gather(o[0], 1, o[1])),
        new(Gather, "a negative index", "is -1", [Normal("x", 2, 4), Index2(0, -1)], o => Ops.Gather(o[0], 1, o[1])),
        new(Gather, "another rank", "as many dimensions", [Normal("x", 2, 4), Indices("i", 0, 1)],
            o => Ops.Gather(o[0], 1, o[1])),
        new(Gather, "more lines than there are", "outside dimension 1", [Normal("x", 2, 4), Index("i", 2, 3, 1)],
            o => Ops.Gather(o[0], 1, o[1])),
        new(Gather, "indices that are numbers", "int32 or int64", [Normal("x", 2, 4), Normal("i", 2, 1)],
            o => Ops.Gather(o[0], 1, o[1])),
        new(Scatter, "an index past the end", "position 1 is 4", [Normal("y", 2, 4), Index2(0, 4), Normal("x", 2, 1)],
            o => Ops.Scatter(o[0], 1, o[1], o[2])),
        new(Scatter, "values of another shape", "the shape of the indices",
            [Normal("y", 2, 4), Index("i", 4, 2, 1), Normal("x", 2, 2)], o => Ops.Scatter(o[0], 1, o[1], o[2])),
        new(Scatter, "sums of integers", "floating-point", [Index("y", 9, 2, 4), Index("i", 4, 2, 1)],
            o => Ops.Scatter(o[0], 1, o[1], o[1], add: true)),
    ];

    /// <summary>[2, 1].</summary>
    private static Input Index2(int first, int second) => Indices("index", first, second).As(2, 1);

    private static OpCase Choose(string name, int[] shape, int dimension, int[] index)
    {
        var limit = shape.Length == 0 ? 1 : shape[(dimension + shape.Length) % shape.Length];
        return new(Gather, name)
        {
            Inputs = [Normal("x", shape), Index("index", limit, index)],
            ReductionLength = Math.Max(1, index.Append(1).Max()),
            Run = o => Ops.Gather(o[0], dimension, o[1]),
        };
    }

    private static OpCase Write(string name, int[] shape, int dimension, int[] index, bool add, bool wide = false)
    {
        var limit = shape.Length == 0 ? 1 : shape[dimension];
        var indices = Index("index", limit, index);
        return new(Scatter, name)
        {
            Inputs = [Normal("y", shape), wide ? indices.Wide() : indices, Normal("x", index)],
            ReductionLength = Math.Max(1, add ? index.Append(1).Max() : 1),
            Run = o => Ops.Scatter(o[0], dimension, o[1], o[2], add),
        };
    }
}
