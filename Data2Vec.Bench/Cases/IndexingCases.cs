using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>What the engine composes of rows by index, slices and copies.</summary>
internal static class IndexingCases
{
    private const string Select = nameof(Ops.IndexSelect);
    private const string Added = nameof(Ops.IndexAdd);
    private const string Border = nameof(Ops.Pad);
    private const string Triangle = nameof(Ops.LowerTriangle);
    private const string Best = nameof(Ops.TopK);

    public static IEnumerable<OpCase> Cases =>
    [
        .. Parts,
        Selecting("first dimension", [7, 3, 2], 0, 5),
        Selecting("last dimension", [3, 2, 7], -1, 9),
        Selecting("middle dimension", [2, 7, 3], 1, 4),
        Selecting("nothing", [2, 7, 3], 1, 0),
        new(Select, "scalar")
        {
            Inputs = [Normal("x"), Indices("index", 0)], Run = o => Ops.IndexSelect(o[0], 0, o[1]),
        },
        Adding("first dimension", [7, 3], 0, 5, 1),
        Adding("last dimension, scaled", [3, 2, 7], -1, 9, -2),
        Adding("nothing", [5, 3], 0, 0, 1),
        .. Enum.GetValues<PadMode>().Select(mode => new OpCase(Border, $"{mode}")
        {
            Inputs = [Normal("x", 2, 5, 4)], ReductionLength = 12,
            Run = o => Ops.Pad(o[0], [(0, 0), (4, 1), (2, 3)], mode),
        }),
        new(Border, "Circular, once around")
        {
            Inputs = [Normal("x", 2, 3)], ReductionLength = 3,
            Run = o => Ops.Pad(o[0], [(0, 0), (3, 3)], PadMode.Circular),
            Composite = o => Ops.Concat([o[0], o[0], o[0]], 1),
        },
        .. new[] { -2, 0, 1 }.Select(diagonal => new OpCase(Triangle, $"diagonal {diagonal}")
        {
            Inputs = [Normal("x", 2, 5, 4)], Run = o => Ops.LowerTriangle(o[0], diagonal),
        }),
        new(Best, "largest")
        {
            Inputs = [Distinct("x", 5, 19)], Run = o => Ops.TopK(o[0], 3).Values,
            Composite = o => Sorted(o, largest: true),
        },
        new(Best, "smallest")
        {
            Inputs = [Distinct("x", 5, 19)], Run = o => Ops.TopK(o[0], 3, largest: false).Values,
            Composite = o => Sorted(o, largest: false),
        },
        new(Best, "none")
        {
            Inputs = [Normal("x", 5, 7)], Run = o => Ops.Add(Ops.Sum(Ops.TopK(o[0], 0).Values), Ops.Sum(o[0])),
            ReductionLength = 35,
        },
        new(Best, "first dimension, places")
        {
            Inputs = [Given("x", [1, 5, 2, 5, 3, float.NegativeInfinity, 5, float.NegativeInfinity], 4, 2).Constant()],
            Run = o => Ops.TopK(o[0], 4, 0).Indices,
        },
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Select, "an index of two dimensions", "one dimension", [Normal("x", 3, 4), Index("i", 3, 1, 2)],
            o => Ops.IndexSelect(o[0], 0, o[1])),
        new(Select, "an index past the end", "position 1 is 4", [Normal("x", 3, 4), Indices("i", 0, 4)],
            o => Ops.IndexSelect(o[0], 1, o[1])),
        new(Added, "slices of another shape", "with 2 slices", [Normal("x", 3, 2), Indices("i", 0, 2), Normal("y", 2)],
            o => Ops.IndexAdd(o[0], 0, o[1], o[2])),
        new(nameof(Ops.Narrow), "a part that reaches outside", "do not lie inside", [Normal("x", 5, 3)],
            o => Ops.Narrow(o[0], 0, 3, 3)),
        new(nameof(Ops.Narrow), "a negative length", "do not lie inside", [Normal("x", 5)],
            o => Ops.Narrow(o[0], 0, 0, -1)),
        new(nameof(Ops.Split), "sizes that do not add up", "must add up to 5", [Normal("x", 5)],
            o => Ops.Split(o[0], [2, 2])[0]),
        new(nameof(Ops.Split), "parts of no size", "must be positive", [Normal("x", 5)], o => Ops.Split(o[0], 0)[0]),
        new(nameof(Ops.Squeeze), "a dimension that is not there", "no dimension 2", [Normal("x", 2, 3)],
            o => Ops.Squeeze(o[0], 2)),
        new(nameof(Ops.Unsqueeze), "a place that is not there", "no place 4", [Normal("x", 2, 3)],
            o => Ops.Unsqueeze(o[0], 4)),
        new(Border, "a mirror larger than the image", "too short for a Reflect border", [Normal("x", 2, 3)],
            o => Ops.Pad(o[0], [(0, 0), (3, 0)], PadMode.Reflect)),
        new(Border, "the edge of nothing", "too short for a Replicate border", [Normal("x", 2, 0)],
            o => Ops.Pad(o[0], [(0, 0), (1, 0)], PadMode.Replicate)),
        new(Border, "a negative width", "must not be negative", [Normal("x", 3)],
            o => Ops.Pad(o[0], [(-1, 0)], PadMode.Circular)),
        new(Triangle, "a vector", "two dimensions", [Normal("x", 3)], o => Ops.LowerTriangle(o[0])),
        new(Best, "more than there are", "must lie in [0, 4]", [Normal("x", 4)], o => Ops.TopK(o[0], 5).Values),
    ];

    private static IEnumerable<OpCase> Parts =>
    [
        new(nameof(Ops.Narrow), "from the end")
        {
            Inputs = [Normal("x", 3, 7)], Run = o => Ops.Narrow(o[0], 1, -3, 2),
            Composite = o => Ops.Slice(o[0], 1, 4, 6),
        },
        new(nameof(Ops.Split), "parts of one size")
        {
            Inputs = [Normal("x", 3, 7)], Composite = o => Ops.Affine(o[0], 1),
            Run = o => Ops.Split(o[0], 3, 1) is [{ Shape: var a }, _, { Shape: var c }] parts && (a[1], c[1]) == (3, 1)
                ? Ops.Concat(parts, 1)
                : throw new InvalidOperationException("Split gave other parts."),
        },
        new(nameof(Ops.Split), "given sizes")
        {
            Inputs = [Normal("x", 3, 7)], Run = o => Ops.Split(o[0], [2, 0, 5], 1)[2],
            Composite = o => Ops.Slice(o[0], 1, 2),
        },
        new(nameof(Ops.Squeeze), "all")
        {
            Inputs = [Normal("x", 1, 3, 1, 2)], Run = o => Ops.Squeeze(o[0]), Composite = o => o[0].Reshape(3, 2),
        },
        new(nameof(Ops.Squeeze), "named")
        {
            Inputs = [Normal("x", 1, 3, 1, 2)], Run = o => Ops.Squeeze(o[0], -2, 1),
            Composite = o => o[0].Reshape(1, 3, -1),
        },
        new(nameof(Ops.Unsqueeze), "at the end")
        {
            Inputs = [Normal("x", 3, 2)], Run = o => Ops.Unsqueeze(o[0], -1), Composite = o => o[0].Reshape(3, 2, 1),
        },
        new(nameof(Ops.Unsqueeze), "inside")
        {
            Inputs = [Normal("x", 3, 2)], Run = o => Ops.Unsqueeze(o[0], 1), Composite = o => o[0].Reshape(3, 1, 2),
        },
    ];

    private static OpCase Selecting(string name, int[] shape, int dimension, int count)
    {
        var d = (dimension + shape.Length) % shape.Length;
        var like = new Shape(shape).With(d, 1);
        return new(Select, name)
        {
            Inputs = [Normal("x", shape), Index("index", shape[d], count)], ReductionLength = Math.Max(1, count),
            Run = o => Ops.IndexSelect(o[0], dimension, o[1]),
            Composite = count == 0 ? null : o => Ops.Concat(
                [.. o.Values(1).Select(v => Ops.Reshape(Ops.Slice(o[0], d, (int)v, (int)v + 1), like))], d),
        };
    }

    private static OpCase Adding(string name, int[] shape, int dimension, int count, double scale)
    {
        var d = (dimension + shape.Length) % shape.Length;
        int[] slices = [.. shape[..d], count, .. shape[(d + 1)..]];
        return new(Added, name)
        {
            Inputs = [Normal("x", shape), Index("index", shape[d], count), Normal("y", slices)],
            ReductionLength = Math.Max(1, count), Run = o => Ops.IndexAdd(o[0], dimension, o[1], o[2], scale),
        };
    }

    /// <summary>The three first of every row in order, looked up on the host.</summary>
    private static Tensor Sorted(Operands o, bool largest)
    {
        var (rows, columns) = (o[0].Shape[0], o[0].Shape[1]);
        var places = new List<int>();
        for (var r = 0; r < rows; r++)
        {
            var row = Enumerable.Range(0, columns);
            float Value(int c) => o.Values(0)[r * columns + c];
            places.AddRange((largest ? row.OrderByDescending(Value) : row.OrderBy(Value)).Take(3));
        }
        return Ops.Gather(o[0], 1, Tensor.From<int>(o.Device, places.ToArray(), new Shape(rows, 3)));
    }
}
