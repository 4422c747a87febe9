using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>Reading and writing by index, by PyTorch's names.</summary>
internal static class RowCalls
{
    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["embedding"] = EmbeddingOf;
        calls["index_select"] = c => [IndexSelect(c["input"], c.Integer("dim", 0), c["index"])];
        calls["index_add"] = c =>
            [IndexAdd(c["input"], c.Integer("dim", 0), c["index"], c["source"], c.Number("alpha", 1))];
        calls["gather"] = GatherOf;
        calls["scatter"] = c => ScatterOf(c, add: false);
        calls["scatter_add"] = c => ScatterOf(c, add: true);
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

    private static Tensor[] GatherOf(OpCall c)
    {
        var (x, d, index) = (c["input"], c.Integer("dim", 0), c["index"]);
        if (index.Count > 0 || index.Shape.Rank == x.Shape.Rank) return [Gather(x, d, index)];
        // PyTorch asks an empty index for no rank.
        var none = Tensor.From<long>(c.Device, [], x.Shape.With(d, 0));
        return [Reshape(Gather(x, d, none), index.Shape)];
    }

    private static Tensor[] ScatterOf(OpCall c, bool add)
    {
        var (x, index) = (c["input"], c["index"]);
        // A number stands for a source of nothing else.
        var source = c.Maybe("src")
            ?? Tensor.Full(c.Device, index.Shape, c.Type, c.Number("src", c.Number("value", 0)));
        if (c.Given("reduce")) throw new NotExpressibleException("the engine replaces or adds");
        // PyTorch reads the part of the source that the index covers.
        if (source.Shape.Rank == index.Shape.Rank)
            for (var k = 0; k < index.Shape.Rank; k++) source = Slice(source, k, 0, index.Shape[k]);
        return [Scatter(x, c.Integer("dim", 0), index, source, add)];
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
