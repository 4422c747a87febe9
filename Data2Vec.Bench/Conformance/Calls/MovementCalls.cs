using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>Functions that only move elements, by PyTorch's names.</summary>
internal static class MovementCalls
{
    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["permute"] = c => [Permute(c["input"], c.Integers("dims")!)];
        calls["transpose"] = c => [Transpose(c["input"], c.Integer("dim0", 0), c.Integer("dim1", 1))];
        calls["reshape"] = c => [Reshape(c["input"], Inferred(c["input"], c.Integers("shape")!))];
        calls["expand"] = c => [Expand(c["input"], Grown(c["input"].Shape, c.Integers("shape")!))];
        calls["squeeze"] = Squeeze;
        calls["unsqueeze"] = Unsqueeze;
        calls["cat"] = c => [Concat(Joined(c.List("tensors")), c.Integer("dim", 0))];
        calls["stack"] = c => [Stack(c.List("tensors"), c.Integer("dim", 0))];
        calls["slice"] = c => [Slice(c["input"], c.Integer("dim", 0), c.Integer("start", 0),
            c.Integer("end", int.MaxValue), c.Integer("step", 1))];
        calls["narrow"] = Narrow;
        calls["split"] = Split;
        calls["unbind"] = Unbind;
        calls["pad"] = PadWith;
        calls["interpolate"] = Interpolate;
    }

    /// <summary>Channels first in PyTorch, channels last in the engine.</summary>
    private static Tensor[] Interpolate(OpCall c)
    {
        var x = c["input"];
        var mode = c.Word("mode", "nearest") switch
        {
            "bilinear" => Interpolation.Bilinear,
            "bicubic" => Interpolation.Bicubic,
            var other => throw new NotExpressibleException($"the engine has no interpolation \"{other}\""),
        };
        var last = Permute(x, [0, .. Enumerable.Range(2, x.Shape.Rank - 2), 1]);
        c.Ignore("antialias");
        if (c.Flag("antialias")) throw new NotExpressibleException("the engine does not filter before it interpolates");
        var scales = c.Numbers("scale_factor");
        if (c.Integers("size") is not { } size)
        {
            if (scales is null) throw new SignatureException("Resize2d takes a size");
            size = [.. Enumerable.Range(0, x.Shape.Rank - 2)
                .Select(i => (int)Math.Floor(x.Shape[i + 2] * scales[Math.Min(i, scales.Length - 1)]))];
        }
        if (size.Length == 1) size = [size[0], size[0]];
        // The factor places the samples only where it is not worked out again from the sizes.
        (double, double)? factor = scales is null || c.Flag("recompute_scale_factor") || c.Flag("align_corners")
            ? null : (scales[0], scales[^1]);
        var y = Resize2d(last, size[0], size[1], mode, c.Flag("align_corners"), scale: factor);
        return [Permute(y, 0, 3, 1, 2)];
    }

    private static Shape Inferred(Tensor x, int[] wanted)
    {
        var open = Array.FindAll(wanted, d => d == -1).Length;
        if (open > 1 || (open == 1 && wanted.Contains(0)))
            throw new NotExpressibleException("a shape of the engine has no open extent");
        if (open == 0) return new Shape(wanted);
        var known = wanted.Where(d => d != -1).Aggregate(1L, (a, d) => a * d);
        return new Shape(Array.ConvertAll(wanted, d => d == -1 ? (int)(x.Count / known) : d));
    }

    private static Shape Grown(Shape from, int[] wanted)
    {
        var shape = new int[wanted.Length];
        for (var i = 0; i < shape.Length; i++)
        {
            var own = i - (wanted.Length - from.Rank);
            if (wanted[i] == -1 && own < 0)
                throw new NotExpressibleException("a shape of the engine has no open extent");
            shape[i] = wanted[i] == -1 ? from[own] : wanted[i];
        }
        return new Shape(shape);
    }

    private static int Place(Tensor x, int dimension, int places)
    {
        if (dimension < -places || dimension >= places)
            throw new NotExpressibleException("adding or removing a dimension is Reshape, which takes a shape");
        return dimension < 0 ? dimension + places : dimension;
    }

    private static Tensor[] Squeeze(OpCall c)
    {
        var x = c["input"];
        var places = Math.Max(1, x.Shape.Rank);
        var chosen = c.Integers("dim")?.Select(d => Place(x, d, places)).ToArray();
        var kept = Enumerable.Range(0, x.Shape.Rank)
            .Where(i => x.Shape[i] != 1 || (chosen is not null && !chosen.Contains(i))).Select(i => x.Shape[i]);
        return [Reshape(x, new Shape([.. kept]))];
    }

    private static Tensor[] Unsqueeze(OpCall c)
    {
        var x = c["input"];
        var extents = x.Shape.ToArray().ToList();
        extents.Insert(Place(x, c.Integer("dim", 0), x.Shape.Rank + 1), 1);
        return [Reshape(x, new Shape([.. extents]))];
    }

    /// <summary>PyTorch's cat passes over tensors of shape (0), whatever the others are.</summary>
    private static Tensor[] Joined(Tensor[] tensors)
    {
        if (!tensors.Any(t => t.Shape != new Shape(0))) return tensors;
        return Array.FindAll(tensors, t => t.Shape != new Shape(0));
    }

    private static Tensor[] Narrow(OpCall c)
    {
        var (x, d, length) = (c["input"], c.Integer("dim", 0), c.Integer("length", 0));
        var start = c.Integer("start", 0);
        if (c.Maybe("start") is { } place)
        {
            if (place.Shape.Rank > 0 || place.DType == DType.Bool)
                throw new NotExpressibleException("Slice takes its start as a number");
            start = (int)OpCall.Host(place)[0];
        }
        if (x.Shape.Rank > 0 && d >= -x.Shape.Rank && d < x.Shape.Rank)
        {
            if (start < 0) start += x.Shape[d];
            if (start < 0 || length < 0 || start + length > x.Shape[d])
                throw new NotExpressibleException("narrow is Slice, which cuts its bounds as Python does");
        }
        return [Slice(x, d, start, start + length)];
    }

    private static Tensor[] Split(OpCall c)
    {
        var (x, d) = (c["input"], c.Integer("dim", 0));
        var sizes = c.Integers("split_size_or_sections")!;
        if (!c.IsList("split_size_or_sections"))
        {
            if (sizes[0] <= 0) throw new NotExpressibleException("split is Slice, which has no part size");
            sizes = [.. Enumerable.Range(0, (x.Shape[d] + sizes[0] - 1) / sizes[0])
                .Select(i => Math.Min(sizes[0], x.Shape[d] - i * sizes[0]))];
        }
        if (sizes.Sum() != x.Shape[d]) throw new NotExpressibleException("split is Slice, which has no list of parts");
        var start = 0;
        return Array.ConvertAll(sizes, size => Slice(x, d, start, start += size));
    }

    private static Tensor[] Unbind(OpCall c)
    {
        var (x, d) = (c["input"], c.Integer("dim", 0));
        if (x.Shape.Rank == 0) return [Slice(x, d, 0)];
        var first = Slice(x, d, 0, 1); // refuses a dimension that does not exist
        d = d < 0 ? d + x.Shape.Rank : d;
        var rest = new Shape([.. x.Shape.ToArray().Where((_, i) => i != d)]);
        return [.. Enumerable.Range(0, x.Shape[d]).Select(i => Reshape(i == 0 ? first : Slice(x, d, i, i + 1), rest))];
    }

    private static Tensor[] PadWith(OpCall c)
    {
        var (x, widths) = (c["input"], c.Integers("pad")!);
        var mode = c.Word("mode", "constant");
        if (mode != "constant")
            throw new NotExpressibleException($"Pad fills with a constant, it has no mode \"{mode}\"");
        if (widths.Length % 2 != 0) throw new NotExpressibleException("Pad takes pairs of widths by its signature");
        if (widths.Any(w => w < 0)) throw new NotExpressibleException("Pad does not cut");
        // PyTorch counts pairs from the last dimension.
        var pairs = new (int, int)[Math.Max(x.Shape.Rank, widths.Length / 2)];
        for (var i = 0; i < widths.Length / 2; i++) pairs[^(i + 1)] = (widths[2 * i], widths[2 * i + 1]);
        return [Pad(x, pairs, c.Number("value", 0))];
    }
}
