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
        calls["reshape"] = c => [c["input"].Reshape(c.Integers("shape")!)];
        calls["expand"] = c => [Expand(c["input"], Grown(c["input"].Shape, c.Integers("shape")!))];
        calls["squeeze"] = c => [c.Integers("dim") switch
        {
            // An empty list names no dimension in PyTorch, and all of them in the engine.
            [] => c["input"],
            null => Squeeze(c["input"]),
            var chosen => Squeeze(c["input"], chosen),
        }];
        calls["unsqueeze"] = c => [Unsqueeze(c["input"], c.Integer("dim", 0))];
        calls["cat"] = c => [Concat(Joined(c.List("tensors")), c.Integer("dim", 0))];
        calls["stack"] = c => [Stack(c.List("tensors"), c.Integer("dim", 0))];
        calls["slice"] = c => [Slice(c["input"], c.Integer("dim", 0), c.Integer("start", 0),
            c.Integer("end", int.MaxValue), c.Integer("step", 1))];
        calls["narrow"] = NarrowOf;
        calls["split"] = SplitOf;
        calls["unbind"] = Unbind;
        calls["tril"] = c => [LowerTriangle(c["input"], c.Integer("diagonal", 0))];
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

    /// <summary>-1 keeps an extent; for a new dimension it is no extent at all, which no shape can hold.</summary>
    private static Shape Grown(Shape from, int[] wanted)
    {
        var added = wanted.Length - from.Rank;
        return new Shape([.. wanted.Select((d, i) => d == -1 && i >= added ? from[i - added] : d)]);
    }

    /// <summary>PyTorch's cat passes over tensors of shape (0), whatever the others are.</summary>
    private static Tensor[] Joined(Tensor[] tensors)
    {
        if (!tensors.Any(t => t.Shape != new Shape(0))) return tensors;
        return Array.FindAll(tensors, t => t.Shape != new Shape(0));
    }

    private static Tensor[] NarrowOf(OpCall c)
    {
        var start = c.Integer("start", 0);
        if (c.Maybe("start") is { } place)
        {
            if (place.Shape.Rank > 0 || place.DType == DType.Bool)
                throw new SignatureException("Narrow takes its start as a number");
            start = (int)OpCall.Host(place)[0];
        }
        return [Narrow(c["input"], c.Integer("dim", 0), start, c.Integer("length", 0))];
    }

    private static Tensor[] SplitOf(OpCall c)
    {
        var (x, d) = (c["input"], c.Integer("dim", 0));
        var sizes = c.Integers("split_size_or_sections")!;
        return c.IsList("split_size_or_sections") ? Split(x, sizes, d) : Split(x, sizes[0], d);
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
        if (widths.Length % 2 != 0) throw new SignatureException("widths come in pairs");
        // PyTorch counts pairs from the last dimension.
        var pairs = new (int Before, int After)[Math.Max(x.Shape.Rank, widths.Length / 2)];
        for (var i = 0; i < widths.Length / 2; i++) pairs[^(i + 1)] = (widths[2 * i], widths[2 * i + 1]);
        // A negative width cuts in PyTorch, which is another method here.
        for (var d = 0; d < x.Shape.Rank; d++)
        {
            var (before, after) = (Math.Min(pairs[d].Before, 0), Math.Min(pairs[d].After, 0));
            if (before == 0 && after == 0) continue;
            x = Narrow(x, d, -before, x.Shape[d] + before + after);
            pairs[d] = (pairs[d].Before - before, pairs[d].After - after);
        }
        var mode = c.Word("mode", "constant");
        if (mode == "constant") return [Pad(x, pairs, c.Number("value", 0))];
        return [Pad(x, pairs, mode switch
        {
            "reflect" => PadMode.Reflect,
            "replicate" => PadMode.Replicate,
            "circular" => PadMode.Circular,
            _ => throw new SignatureException("a border is one of an enumeration"),
        })];
    }
}
