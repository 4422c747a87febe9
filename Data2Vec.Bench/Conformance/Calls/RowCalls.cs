using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>Reading and writing by index, by PyTorch's names.</summary>
internal static class RowCalls
{
    private const string SingleElements =
        "single elements are rows of width 1 with indices of the caller, who checks them";

    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["embedding"] = EmbeddingOf;
        calls["index_select"] = IndexSelect;
        calls["index_add"] = IndexAdd;
        calls["gather"] = Gather;
        calls["scatter"] = c => Scatter(c, add: false);
        calls["scatter_add"] = c => Scatter(c, add: true);
        calls["masked_select"] = MaskedSelect;
    }

    private static Tensor[] EmbeddingOf(OpCall c)
    {
        var (table, ids) = (c["weight"], c["indices"]);
        var padding = c.Integer("padding_idx", -1);
        // PyTorch counts negative padding rows from the end; in the engine -1 is none.
        if (c.Given("padding_idx") && padding < 0) padding += table.Shape[0];
        if (c.Given("padding_idx") && padding == -1) padding = -2;
        return [Embedding(table, ids, padding)];
    }

    /// <summary>Brings a dimension to the front and flattens the others: rows for GatherRows and ScatterRows.</summary>
    private static (Tensor Rows, Func<Tensor, Tensor> Back) Rows(Tensor x, int dimension)
    {
        if (x.Shape.Rank == 0) return (Reshape(x, new Shape(1, 1)), y => Reshape(y, new Shape()));
        var d = dimension < 0 ? dimension + x.Shape.Rank : dimension;
        int[] order = [d, .. Enumerable.Range(0, x.Shape.Rank).Where(i => i != d)];
        var front = Permute(x, order);
        var inner = front.Shape.Slice(1, x.Shape.Rank - 1);
        var back = Array.ConvertAll(Enumerable.Range(0, x.Shape.Rank).ToArray(), i => Array.IndexOf(order, i));
        return (Reshape(front, new Shape(front.Shape[0], (int)inner.Count)),
            y => Permute(Reshape(y, front.Shape.With(0, y.Shape[0])), back));
    }

    private static Tensor[] IndexSelect(OpCall c)
    {
        var (rows, back) = Rows(c["input"], c.Integer("dim", 0));
        var index = c["index"];
        if (index.Shape.Rank > 1) throw new NotExpressibleException("GatherRows takes indices of any shape");
        return [back(GatherRows(rows, Reshape(index, new Shape((int)index.Count))))];
    }

    private static Tensor[] IndexAdd(OpCall c)
    {
        var (rows, back) = Rows(c["input"], c.Integer("dim", 0));
        if (c["source"].Shape.Rank != c["input"].Shape.Rank)
            throw new NotExpressibleException("ScatterRows takes rows, which have no other dimensions to differ in");
        var (source, _) = Rows(c["source"], c.Integer("dim", 0));
        return [back(ScatterRows(rows, c["index"], Affine(source, c.Number("alpha", 1)), add: true))];
    }

    /// <summary>Single elements are rows of width 1; the flat indices are worked out here.</summary>
    private static int[] FlatIndices(OpCall c, Tensor x, Tensor index)
    {
        if (index.Shape.Rank != x.Shape.Rank || index.DType is not (DType.Int32 or DType.Int64))
            throw new NotExpressibleException(SingleElements);
        var d = c.Integer("dim", 0);
        if (d < 0) d += x.Shape.Rank;
        var (strides, own) = (x.Shape.Strides, index.Shape.Strides);
        var values = OpCall.Host(index);
        var flat = new int[values.Length];
        for (var i = 0; i < flat.Length; i++)
        {
            long at = 0, rest = i;
            for (var k = 0; k < x.Shape.Rank; k++)
            {
                var place = k == d ? values[i] : rest / own[k];
                rest %= own[k];
                if (place < 0 || place >= x.Shape[k]) throw new NotExpressibleException(SingleElements);
                at += place * strides[k];
            }
            flat[i] = (int)at;
        }
        return flat;
    }

    private static Tensor[] Gather(OpCall c)
    {
        var (x, index) = (c["input"], c["index"]);
        if (x.Shape.Rank == 0) c.Ignore("dim");
        var rows = Tensor.From<int>(c.Device, FlatIndices(c, x, index), new Shape((int)index.Count));
        return [Reshape(GatherRows(Reshape(x, new Shape((int)x.Count, 1)), rows), index.Shape)];
    }

    private static Tensor[] Scatter(OpCall c, bool add)
    {
        var (x, index, source) = (c["input"], c["index"], c["src"]);
        if (source.Shape.Rank != index.Shape.Rank || c.Given("reduce"))
            throw new NotExpressibleException(SingleElements);
        var flat = FlatIndices(c, x, index);
        // PyTorch reads the part of the source that the index covers.
        for (var k = 0; k < index.Shape.Rank; k++) source = Slice(source, k, 0, index.Shape[k]);
        var y = ScatterRows(Reshape(x, new Shape((int)x.Count, 1)),
            Tensor.From<int>(c.Device, flat, new Shape(flat.Length)), Reshape(source, new Shape(flat.Length, 1)), add);
        return [Reshape(y, x.Shape)];
    }

    private static Tensor[] MaskedSelect(OpCall c)
    {
        var (x, mask) = (c["input"], c["mask"]);
        var shape = Add(Tensor.Zeros(c.Device, x.Shape, c.Type), Tensor.Zeros(c.Device, mask.Shape, c.Type)).Shape;
        var chosen = OpCall.Host(Expand(mask, shape));
        int[] places = [.. Enumerable.Range(0, chosen.Length).Where(i => chosen[i] != 0)];
        var rows = Reshape(Expand(x, shape), new Shape(chosen.Length, 1));
        var picked = GatherRows(rows, Tensor.From<int>(c.Device, places, new Shape(places.Length)));
        return [Reshape(picked, new Shape(places.Length))];
    }
}
