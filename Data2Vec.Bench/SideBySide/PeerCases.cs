using System.Text.Json.Nodes;
using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.SideBySide;

/// <summary>
/// What is timed side by side with a peer: the operations that an update consists of, at the sizes of the base models (text
/// 16 x 512, vision 128 x 197, audio 12 clips of 20 s), and whole updates. Tiny: the same list at sizes for a try-out.
/// </summary>
internal sealed class PeerCases(bool tiny)
{
    private readonly int width = tiny ? 64 : 768, inner = tiny ? 128 : 3072, heads = tiny ? 2 : 12;

    // Name, samples and positions of a micro-batch.
    private readonly (string Name, int Batch, int Time)[] views = tiny
        ? [("text", 2, 16), ("vision", 2, 17), ("audio", 2, 19)]
        : [("text", 16, 512), ("vision", 128, 197), ("audio", 12, 999)];

    /// <summary>All of them.</summary>
    public IEnumerable<PeerCase> All() =>
    [
        .. Products(), .. views.SelectMany(v => Linears(v.Name, v.Batch * v.Time)),
        .. views.Select(v => FeedForward(v.Name, v.Batch * v.Time)), .. Attentions(),
        .. views.SelectMany(v => Norms(v.Name, v.Batch * v.Time)), .. Losses(), Optimizer(), .. Convolutions(),
        .. new PeerSteps(tiny).All(),
    ];

    private IEnumerable<PeerCase> Products() => (tiny ? new[] { 32 } : [4096, 8192]).Select(n => new PeerOperation(
        new OpCase(nameof(Ops.MatMul), $"{n} x {n} x {n}")
        {
            Inputs = [Normal("a", n, n), Normal("b", n, n)], Run = o => Ops.MatMul(o[0], o[1]), Flops = 2.0 * n * n * n,
        }, "matmul", []));

    private IEnumerable<PeerCase> Linears(string name, int rows)
    {
        PeerOperation Of(string what, int ins, int outs, Activation activation = Activation.None)
        {
            var bound = MathF.Sqrt(3f / ins);
            return new PeerOperation(new OpCase(nameof(Ops.Linear), $"{name} {what}, {rows} x {ins} to {outs}")
            {
                Inputs = [Normal("x", rows, ins), Uniform("w", -bound, bound, outs, ins), Normal("b", outs)],
                Run = o => Ops.Linear(o[0], o[1], o[2], activation), Flops = 2.0 * rows * ins * outs,
            }, "linear", activation == Activation.Gelu ? new JsonObject { ["activation"] = "gelu" } : []);
        }
        return
        [
            Of("qkv", width, 3 * width), Of("projection", width, width),
            Of("fc1 with GELU", width, inner, Activation.Gelu), Of("fc2", inner, width),
        ];
    }

    private PeerOperation FeedForward(string name, int rows)
    {
        var (bound, innerBound) = (MathF.Sqrt(3f / width), MathF.Sqrt(3f / inner));
        return new PeerOperation(new OpCase(nameof(Ops.FeedForward), $"{name}, {rows} x {width} to {inner} and back")
        {
            Inputs =
            [
                Normal("x", rows, width), Uniform("w1", -bound, bound, inner, width), Normal("b1", inner),
                Uniform("w2", -innerBound, innerBound, width, inner), Normal("b2", width),
            ],
            Run = o => Ops.FeedForward(o[0], o[1], o[2], o[3], o[4]), Flops = 4.0 * rows * width * inner,
        }, "feed_forward", []);
    }

    private IEnumerable<PeerCase> Attentions()
    {
        PeerOperation Of(string name, int batch, int time, bool bias = false, bool slopes = false, bool padding = false, double dropout = 0)
        {
            int[] shape = [batch, time, heads, width / heads];
            List<Input> inputs = [Normal("q", shape), Normal("k", shape), Normal("v", shape)];
            var theirs = inputs.Select(i => (i.Name, i.Shape.ToArray())).ToList();
            JsonObject options = [];
            int[] lengths = [.. Enumerable.Range(0, batch).Select(b => time - b * time / (2 * batch))];
            if (bias) inputs.Add(Normal("bias", heads, time, time));
            if (slopes) inputs.Add(Uniform("slopes", 0.05f, 0.5f, heads).Constant());
            if (bias || slopes) theirs.Add((inputs[3].Name, inputs[3].Shape.ToArray()));
            if (slopes) (options["alibi"], options["constant"]) = (true, new JsonArray("slopes"));
            if (padding)
            {
                inputs.Add(Lengths("mask", time, lengths));
                options["lengths"] = new JsonArray([.. lengths.Select(n => (JsonNode)n)]);
            }
            if (dropout > 0) options["dropout"] = dropout;
            return new PeerOperation(new OpCase(nameof(Ops.Attention), $"{name}, {batch} x {heads} x {time} x {width / heads}")
            {
                Inputs = [.. inputs],
                Run = o => Ops.Attention(o[0], o[1], o[2], new AttentionOptions(padding ? o[3] : null, bias ? o[3] : null,
                    slopes ? o[3] : null, null, dropout > 0 ? o.Dropout(dropout) : default)),
                Flops = 4.0 * batch * heads * time * time * (width / heads), BackwardFlops = 2.5,
            }, "attention", options) { Shapes = theirs };
        }
        var (text, vision, audio) = (views[0], views[1], views[2]);
        return
        [
            Of("text, few samples", tiny ? 1 : 4, text.Time), Of("text", text.Batch, text.Time),
            Of("text, dropout", text.Batch, text.Time, dropout: 0.1),
            Of("text, ALiBi", text.Batch, text.Time, slopes: true),
            Of("vision, few samples, bias and its gradient", tiny ? 1 : 8, vision.Time, bias: true),
            Of("vision, bias and its gradient", vision.Batch, vision.Time, bias: true),
            Of("audio, padding", audio.Batch, audio.Time, padding: true),
            Of("audio, padding and dropout", audio.Batch, audio.Time, padding: true, dropout: 0.1),
        ];
    }

    private IEnumerable<PeerCase> Norms(string name, int rows)
    {
        PeerOperation Of(string what, bool residual)
        {
            Input[] plain = [Normal("x", rows, width), Normal("gamma", width), Normal("beta", width)];
            return new PeerOperation(new OpCase(nameof(Ops.LayerNorm), $"{name}{what}, {rows} x {width}")
            {
                Inputs = residual ? [.. plain, Normal("residual", rows, width)] : plain,
                Run = o => Ops.LayerNorm(o[0], o[1], o[2], residual ? o[3] : null, 1e-5, residual ? o.Dropout(0.1) : default),
            }, "layer_norm", residual ? new JsonObject { ["dropout"] = 0.1 } : []);
        }
        return [Of("", false), Of(", dropout and residual", true)];
    }

    private IEnumerable<PeerCase> Losses()
    {
        // Masked positions of the whole batch, as the default masks of the base models give them.
        (string Name, int Count)[] masked = tiny ? [("text", 9)] : [("text", 2540), ("vision", 15360), ("audio", 5874)];
        foreach (var (name, count) in masked)
        {
            var view = views.Single(v => v.Name == name);
            var rows = view.Batch * view.Time;
            yield return new PeerOperation(new OpCase(nameof(Ops.SmoothL1), $"{name}, {count} rows of {rows}")
            {
                Inputs = [Normal("x", rows, width), Normal("t", count, width).Constant(), DistinctIndex("rows", rows, count)],
                // Of x the rows listed.
                Bytes = 8L * count * width + 4 * count, Run = o => Ops.SmoothL1(o[0], o[1], o[2], 2, Reduction.Mean),
            }, "smooth_l1", new JsonObject
            {
                ["beta"] = 2, ["indices"] = new JsonObject { ["rows"] = rows }, ["constant"] = new JsonArray("t"),
            }) { Types = [DType.Float32] };
        }
        var (batch, time, classes) = tiny ? (2, 19, 8) : (12, 999, 32);
        var (frames, lengths) = (Enumerable.Repeat(time, batch).ToArray(), Enumerable.Range(0, batch).Select(b => time / 4 - b).ToArray());
        int[][] labels = [.. lengths.Select(n => Enumerable.Range(0, n).Select(i => 1 + (i * i / 3 + i / 7) % (classes - 1)).ToArray())];
        yield return new PeerOperation(new OpCase(nameof(Ops.CtcLoss), $"audio letters, {batch} x {time} x {classes}")
        {
            Inputs = [Normal("x", batch, time, classes)], Run = o => Ops.CtcLoss(Ops.LogSoftmax(o[0]), frames, labels),
        }, "ctc", new JsonObject
        {
            ["frames"] = new JsonArray([.. frames.Select(n => (JsonNode)n)]),
            ["labels"] = new JsonArray([.. lengths.Select(n => (JsonNode)n)]), ["classes"] = classes,
        }) { Types = [DType.Float32] };
        var (samples, words) = tiny ? (5, 31) : (512, 50265);
        yield return new PeerOperation(new OpCase(nameof(Ops.CrossEntropy), $"vocabulary, {samples} x {words}")
        {
            Inputs = [Normal("x", samples, words), Index("t", words, samples)], Run = o => Ops.CrossEntropy(o[0], o[1]),
        }, "cross_entropy", new JsonObject { ["indices"] = new JsonObject { ["t"] = words } });
    }

    private PeerOperation Optimizer()
    {
        int[] layer = [3 * width * width, width * width, inner * width, width, width * inner];
        int[] lengths = [.. Enumerable.Repeat(layer, tiny ? 1 : 12).SelectMany(x => x)];
        return new PeerOperation(
            OptimizerCases.BothOf($"{lengths.Sum():N0} parameters".Replace(',', ' '), 0.999, AdamVariant.AdamW, lengths: lengths),
            "adamw_ema", new JsonObject { ["lengths"] = new JsonArray([.. lengths.Select(n => (JsonNode)n)]) })
        {
            Types = [DType.Float32],
        };
    }

    private IEnumerable<PeerCase> Convolutions()
    {
        PeerOperation Of(string name, int batch, int time, int ins, int outs, int kernel, Conv1dOptions how)
        {
            var (bound, inside) = (MathF.Sqrt(3f * how.Groups / (kernel * ins)), ins / how.Groups);
            var frames = (double)batch * how.OutputTime(time, kernel);
            return new PeerOperation(new OpCase(nameof(Ops.Conv1d), $"{name}, {batch} x {time} x {ins}")
            {
                Inputs = [Normal("x", batch, time, ins), Uniform("w", -bound, bound, outs, kernel, inside)],
                Run = o => Ops.Conv1d(o[0], o[1], null, how), Flops = 2 * frames * outs * kernel * inside,
            }, "conv1d", new JsonObject { ["stride"] = how.Stride, ["padding"] = how.Padding, ["groups"] = how.Groups })
            {
                Shapes = [("x", [batch, ins, time]), ("w", [outs, inside, kernel])],
            };
        }
        PeerOperation WithNorm(string name, int batch, int time, int ins, int outs, int kernel, int stride)
        {
            var bound = MathF.Sqrt(3f / (kernel * ins));
            var frames = (double)batch * new Conv1dOptions(stride).OutputTime(time, kernel);
            return new PeerOperation(new OpCase(nameof(Ops.Conv1dLayerNorm), $"{name}, norm and GELU, {batch} x {time} x {ins}")
            {
                Inputs =
                [
                    Normal("x", batch, time, ins), Uniform("w", -bound, bound, outs, kernel, ins), Normal("gamma", outs),
                    Normal("beta", outs),
                ],
                Run = o => Ops.Conv1dLayerNorm(o[0], o[1], null, o[2], o[3], new(stride), activation: Activation.Gelu),
                Flops = 2 * frames * outs * kernel * ins,
            }, "conv1d_layer_norm", new JsonObject { ["stride"] = stride })
            {
                Shapes = [("x", [batch, ins, time]), ("w", [outs, ins, kernel]), ("gamma", [outs]), ("beta", [outs])],
            };
        }
        return tiny
            ? [WithNorm("audio layer 1", 1, 41, 16, 16, 3, 2), Of("audio layer 1", 1, 41, 16, 16, 3, new(Stride: 2)), Of("audio positions", 2, 19, 64, 64, 5, new(Padding: 2, Groups: 4))]
            :
            [
                // Two clips where twelve have more numbers than the host should draw.
                WithNorm("audio layer 0", 2, 320_000, 1, 512, 10, 5), WithNorm("audio layer 1", 2, 63_999, 512, 512, 3, 2),
                Of("audio layer 0", 2, 320_000, 1, 512, 10, new(Stride: 5)),
                Of("audio layer 1", 2, 63_999, 512, 512, 3, new(Stride: 2)),
                Of("audio layer 3", 12, 15_999, 512, 512, 3, new(Stride: 2)),
                Of("audio layer 5", 12, 3_999, 512, 512, 2, new(Stride: 2)),
                Of("audio positions", 12, 999, 768, 768, 19, new(Padding: 9, Groups: 16)),
            ];
    }
}
