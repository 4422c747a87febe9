using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Fused attention: packed and separate, with every option.</summary>
internal static class AttentionCases
{
    private const string Op = nameof(IBackend.Attention);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("odd sizes", 2, 5, 7, 3, 5),
        Of("self-attention below a vector", 1, 3, 3, 1, 2),
        Of("one key", 2, 3, 1, 2, 4),
        Of("one query", 2, 1, 9, 2, 4),
        Of("no queries", 2, 0, 3, 2, 4),
        Of("no samples", 0, 3, 3, 2, 4),
        Of("several tiles", 1, 70, 131, 2, 16),
        // Rows of 256 scores lie a cache line further apart.
        Of("256 keys", 1, 5, 256, 1, 4),
        Of("scale", 2, 5, 7, 3, 5, scale: 0.3),
        Of("padding", 3, 5, 7, 2, 4, mask: Lengths("mask", 7, 7, 4, 1)),
        Of("rows without any key", 3, 5, 7, 2, 4, mask: Lengths("mask", 7, 7, 0, 3)),
        Of("random mask", 3, 5, 37, 2, 4, mask: Mask("mask", 0.5f, 3, 37)),
        Of("bias", 2, 5, 7, 3, 4, bias: true),
        Of("ALiBi", 2, 5, 7, 3, 4, slopes: true),
        Of("dropout", 2, 5, 37, 3, 4, dropout: 0.3),
        Of("everything", 2, 9, 11, 3, 8, scale: 0.5, bias: true, slopes: true, dropout: 0.1, mask: Lengths("mask", 11, 11, 6)),
        Of("bias over several tiles", 2, 70, 131, 2, 16, bias: true),
        Of("ALiBi over several tiles", 2, 131, 70, 2, 16, slopes: true),
        Of("bias, padding and dropout over several tiles", 2, 131, 131, 2, 8, bias: true, dropout: 0.1,
            mask: Lengths("mask", 131, 131, 77)),
        Of("everything over several tiles", 3, 67, 131, 2, 16, scale: 0.2, bias: true, slopes: true, dropout: 0.1,
            mask: Lengths("mask", 131, 131, 70, 0)),
        Of("heads of 64", 1, 18, 33, 2, 64, bias: true, dropout: 0.1),
        Of("heads of 40, padding", 2, 17, 20, 1, 40, mask: Lengths("mask", 20, 20, 7)),
        Of("heads of 67", 1, 17, 33, 1, 67, slopes: true),
        Of("heads of 128, everything", 2, 18, 34, 1, 128, bias: true, slopes: true, dropout: 0.1,
            mask: Lengths("mask", 34, 34, 33)),
        new(Op, "bias and slopes used twice")
        {
            Inputs =
            [
                .. Operands(2, 9, 9, 2, 4), Normal("bias", 2, 9, 9), Uniform("slopes", 0.05f, 0.5f, 2),
                Lengths("mask", 9, 9, 5),
            ],
            ReductionLength = 36, Flops = 2 * Cost(2, 9, 9, 2, 4),
            Run = o =>
            {
                var options = new AttentionOptions(o[5], o[3], o[4]);
                return Ops.Attention(Ops.Attention(o[0], o[1], o[2], options), o[1], o[2], options);
            },
            Composite = o => Composed(o, Composed(o, o[0], 0.5, 5, 3, 4), 0.5, 5, 3, 4),
        },
        new(Op, "given keep mask, bias and slopes")
        {
            Inputs =
            [
                .. Operands(2, 5, 7, 2, 4), Normal("bias", 2, 5, 7), Uniform("slopes", 0.05f, 0.5f, 2),
                Mask("keep", 0.8f, 2, 2, 5, 7),
            ],
            ReductionLength = 14, Flops = Cost(2, 5, 7, 2, 4),
            Run = o => Ops.Attention(
                o[0], o[1], o[2], new AttentionOptions(null, o[3], o[4], Dropout: o.Keep(0.25, 5))),
            Composite = o => Composed(o, o[0], 0.5, -1, 3, 4, p => Ops.Dropout(p, o.Keep(0.25, 5))),
        },
        new(Op, "given keep mask")
        {
            Inputs = [.. Operands(2, 5, 7, 2, 4), Mask("keep", 0.8f, 2, 2, 5, 7)], ReductionLength = 7, Flops = Cost(2, 5, 7, 2, 4),
            Run = o => Ops.Attention(o[0], o[1], o[2], new AttentionOptions(Dropout: o.Keep(0.25, 3))),
            Composite = o => Composed(o, o[0], 0.5, -1, -1, -1, p => Ops.Dropout(p, o.Keep(0.25, 3))),
        },
        new(Op, "probabilities")
        {
            Inputs = [.. Operands(2, 5, 7, 2, 4).Select(i => i.Constant())], ReductionLength = 7, Flops = Cost(2, 5, 7, 2, 4),
            Run = o =>
            {
                var p = Tensor.Empty(o.Device, new Shape(2, 2, 5, 7), o.Type);
                Ops.Attention(o[0], o[1], o[2], default, p);
                return p;
            },
            Composite = o => Ops.Softmax(Scores(o, o[0], 0.5)),
        },
        new(Op, "probabilities, heads of 128")
        {
            Inputs = [.. Operands(1, 5, 7, 1, 128).Select(i => i.Constant())], ReductionLength = 128, Flops = Cost(1, 5, 7, 1, 128),
            Run = o =>
            {
                var p = Tensor.Empty(o.Device, new Shape(1, 1, 5, 7), o.Type);
                Ops.Attention(o[0], o[1], o[2], default, p);
                return p;
            },
            Composite = o => Ops.Softmax(Scores(o, o[0], 1 / Math.Sqrt(128))),
        },
        Packed("packed", 2, 9, 3, 4),
        Packed("packed, padding", 2, 9, 2, 8, Lengths("mask", 9, 9, 5)),
        Packed("packed, base", 4, 128, 12, 64, size: CaseSize.Real),
        Of("vision base, bias", 2, 197, 197, 12, 64, bias: true, caseSize: CaseSize.Real),
        Of("8 images of base", 8, 197, 197, 12, 64, caseSize: CaseSize.Real),
        Of("8 images of base, bias", 8, 197, 197, 12, 64, bias: true, caseSize: CaseSize.Real),
        Of("4 x 512 tokens of base", 4, 512, 512, 12, 64, caseSize: CaseSize.Real),
        Of("base, padding and dropout", 4, 128, 128, 12, 64, dropout: 0.1, mask: Lengths("mask", 128, 128, 100, 77, 128), size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "heads that differ", "agree in batch, heads and head size", [Normal("q", 2, 3, 2, 4), Normal("k", 2, 3, 3, 4)],
            o => Ops.Attention(o[0], o[1], o[1])),
        new(Op, "keys and values that differ", "one shape", [Normal("q", 2, 3, 2, 4), Normal("k", 2, 3, 2, 4), Normal("v", 2, 5, 2, 4)],
            o => Ops.Attention(o[0], o[1], o[2])),
        new(Op, "a mask of queries", "key mask must be bool (2, 3)", [Normal("q", 2, 5, 2, 4), Normal("k", 2, 3, 2, 4), Mask("m", 0.5f, 2, 5)],
            o => Ops.Attention(o[0], o[1], o[1], new AttentionOptions(o[2]))),
        new(Op, "a bias per sample", "bias must be", [Normal("q", 2, 3, 2, 4), Normal("bias", 2, 2, 3, 3)],
            o => Ops.Attention(o[0], o[0], o[0], new AttentionOptions(Bias: o[1]))),
        new(Op, "a width that heads do not divide", "3 * 4 * head size", [Normal("qkv", 2, 3, 18)], o => Ops.AttentionPacked(o[0], 4)),
    ];

    private static OpCase Of(
        string name, int batch, int queries, int keys, int heads, int size, double? scale = null, Input? mask = null, bool bias = false,
        bool slopes = false, double dropout = 0, CaseSize caseSize = CaseSize.Tiny)
    {
        var inputs = Operands(batch, queries, keys, heads, size).ToList();
        int Place(Input? input)
        {
            if (input is null) return -1;
            inputs.Add(input);
            return inputs.Count - 1;
        }
        var m = Place(mask);
        var b = Place(bias ? Normal("bias", heads, queries, keys) : null);
        var s = Place(slopes ? Uniform("slopes", 0.05f, 0.5f, heads) : null);
        return new(Op, name)
        {
            Size = caseSize,
            Inputs = [.. inputs],
            Run = o => Ops.Attention(o[0], o[1], o[2], new AttentionOptions(
                m < 0 ? null : o[m], b < 0 ? null : o[b], s < 0 ? null : o[s], scale, dropout > 0 ? o.Dropout(dropout) : default)),
            ReductionLength = Math.Max(size, Math.Max(keys, Math.Max(queries * batch, 1))),
            Flops = Cost(batch, queries, keys, heads, size),
            BackwardFlops = 2.5,
            // The composite has no dropout, and softmax of a row without keys is NaN where attention promises zeros.
            Composite = caseSize == CaseSize.Tiny && dropout == 0 && !name.StartsWith("rows without", StringComparison.Ordinal)
                ? o => Composed(o, o[0], scale ?? 1 / Math.Sqrt(size), m, b, s) : null,
        };
    }

    private static OpCase Of(
        string name, int batch, int queries, int keys, int heads, int headSize, double dropout, Input mask, CaseSize size) =>
        Of(name, batch, queries, keys, heads, headSize, null, mask, dropout: dropout, caseSize: size);

    private static OpCase Packed(string name, int batch, int time, int heads, int headSize, Input? mask = null, CaseSize size = CaseSize.Tiny)
    {
        var width = heads * headSize;
        return new(Op, name)
        {
            Size = size,
            Inputs = mask is null ? [Normal("qkv", batch, time, 3 * width)] : [Normal("qkv", batch, time, 3 * width), mask],
            Run = o => Ops.AttentionPacked(o[0], heads, new AttentionOptions(mask is null ? null : o[1])),
            ReductionLength = Math.Max(headSize, time),
            Flops = Cost(batch, time, time, heads, headSize),
            BackwardFlops = 2.5,
            Composite = size == CaseSize.Tiny ? o =>
            {
                Tensor Part(int i) => Ops.Slice(o[0], 2, i * width, (i + 1) * width).Reshape(batch, time, heads, headSize);
                return Ops.Attention(Part(0), Part(1), Part(2), new AttentionOptions(mask is null ? null : o[1])).Reshape(batch, time, width);
            } : null,
        };
    }

    private static Input[] Operands(int batch, int queries, int keys, int heads, int size) =>
        [Normal("q", batch, queries, heads, size), Normal("k", batch, keys, heads, size), Normal("v", batch, keys, heads, size)];

    /// <summary>Two products, q kᵀ and p v; backward has five, one of them the scores again.</summary>
    private static double Cost(int batch, int queries, int keys, int heads, int size) => 4.0 * batch * heads * queries * keys * size;

    /// <summary>Attention with every score in memory: what the fused kernel must equal.</summary>
    private static Tensor Composed(
        Operands o, Tensor q, double scale, int mask, int bias, int slopes, Func<Tensor, Tensor>? dropout = null)
    {
        var scores = Scores(o, q, scale);
        if (bias >= 0) scores = Ops.Add(scores, o[bias]);
        if (slopes >= 0)
        {
            var distance = new double[scores.Shape[-2] * scores.Shape[-1]];
            for (var i = 0; i < distance.Length; i++) distance[i] = Math.Abs(i / scores.Shape[-1] - i % scores.Shape[-1]);
            var d = Tensor.FromDoubles(o.Device, distance, scores.Shape.Slice(2, 2), o.Type);
            scores = Ops.Sub(scores, Ops.Mul(o[slopes].Reshape(o[slopes].Shape[0], 1, 1), d));
        }
        if (mask >= 0)
        {
            var takesPart = o[mask].Reshape(o[mask].Shape[0], 1, 1, o[mask].Shape[1]);
            scores = Ops.Where(takesPart, scores, Tensor.Full(o.Device, new Shape(), o.Type, double.NegativeInfinity));
        }
        var shares = dropout is null ? Ops.Softmax(scores) : dropout(Ops.Softmax(scores));
        return Ops.Permute(Ops.MatMul(shares, Ops.Permute(o[2], 0, 2, 1, 3)), 0, 2, 1, 3);
    }

    private static Tensor Scores(Operands o, Tensor q, double scale) =>
        Ops.Affine(Ops.MatMul(Ops.Permute(q, 0, 2, 1, 3), Ops.Permute(o[1], 0, 2, 1, 3), transposeB: true), scale);
}
