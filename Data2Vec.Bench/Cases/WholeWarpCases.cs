using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>
/// What the tiny cases leave out: sizes at which the fast paths of hand-written kernels run with whole warps, each of them at
/// least once. Only CUDA devices are compared on them.
/// </summary>
internal static class WholeWarpCases
{
    /// <summary>All of them that a type has hand-written kernels for.</summary>
    public static IReadOnlyList<OpCase> Of(DType type) =>
        [.. Rows, .. Products, .. Convolutions, .. type == DType.BFloat16 ? Attention : []];

    /// <summary>Of every type.</summary>
    public static IEnumerable<OpCase> Rows =>
    [
        .. from columns in new[] { 256, 512, 768, 1024, 1100 }
           from activation in new[] { Activation.None, Activation.Gelu }
           select new OpCase("LayerNorm", $"{columns} columns, {activation}")
           {
               Inputs = [Normal("x", 20, columns), Normal("gamma", columns), Normal("beta", columns)], ReductionLength = columns,
               Run = o => Ops.LayerNorm(o[0], o[1], o[2], activation: activation),
           },
        .. from channels in new[] { 256, 512, 768, 1024, 1100 }
           from norm in new[] { TargetNorm.Layer, TargetNorm.Instance }
           select new OpCase("Targets", $"{channels} channels, {norm}")
           {
               Inputs = [Normal("x", 1, 40, channels).Constant(), Normal("z", 1, 40, channels).Constant()],
               ReductionLength = channels,
               Run = o => Ops.Targets([o[0], o[1]], norm),
           },
        .. from columns in new[] { 512, 517 }
           select new OpCase("SmoothL1", $"{columns} columns")
           {
               Inputs = [Normal("x", 20, columns), Normal("target", 17, columns), Index("rows", 20, 17)],
               ReductionLength = 17 * columns,
               Run = o => Ops.SmoothL1(o[0], o[1], o[2]),
           },
        .. from classes in new[] { 500, 2100 }
           select new OpCase("CrossEntropy", $"{classes} classes")
           {
               Inputs = [Normal("x", 9, classes), Index("t", classes, 9)], ReductionLength = classes,
               Run = o => Ops.CrossEntropy(o[0], o[1], labelSmoothing: 0.1),
           },
        .. from labels in new[] { 100, 512 }
           select new OpCase("CtcLoss", $"{labels} labels")
           {
               Inputs = [Normal("x", 2, 8, 6)], ReductionLength = 8,
               // The first is impossible, but says how much room there is.
               Run = o => Ops.CtcLoss(Ops.LogSoftmax(o[0]), [8, 8], [[.. Enumerable.Repeat(2, labels)], [1, 2, 3]],
                   zeroInfinity: true),
           },
        .. from columns in new[] { 512, 517 }
           select new OpCase("Linear", $"{columns} columns")
           {
               Inputs = [Normal("x", 70, 16), Normal("w", columns, 16), Normal("b", columns)], ReductionLength = columns,
               Run = o => Ops.Linear(o[0], o[1], o[2], Activation.Gelu),
           },
        .. from inner in new[] { 144, 145 }
           select new OpCase("FeedForward", $"{inner} between")
           {
               Inputs = [Normal("x", 136, 16), Normal("w1", inner, 16), Normal("b1", inner), Normal("w2", 72, inner)],
               ReductionLength = inner,
               Run = o => Ops.FeedForward(o[0], o[1], o[2], o[3], null),
           },
    ];

    /// <summary>More than one large tile each way, and rests; n and k in whole units of 16 bytes, or one more.</summary>
    public static IEnumerable<OpCase> Products =>
        from left in new[] { false, true }
        from right in new[] { false, true }
        from odd in new[] { 0, 1 }
        let n = 144 + odd
        select new OpCase("MatMul", $"{left} {right} {odd}")
        {
            Inputs =
            [
                (left ? Normal("a", 72, 136) : Normal("a", 136, 72)).Constant(),
                (right ? Normal("b", n, 72) : Normal("b", 72, n)).Constant(),
            ],
            Run = o => Ops.MatMul(o[0], o[1], left, right), ReductionLength = 136,
        };

    /// <summary>As of a feature encoder, and of positions.</summary>
    public static IEnumerable<OpCase> Convolutions =>
    [
        Convolution("stride 2", [1, 151, 16], 136, 3, new(Stride: 2)),
        Convolution("groups", [1, 70, 96], 96, 5, new(Padding: 2, Groups: 4)),
        Convolution("a signal", [1, 400, 1], 256, 10, new(Stride: 5)),
        Convolution("odd channels", [1, 90, 9], 70, 3, new(Stride: 2)),
    ];

    /// <summary>Every head size, masks, and each way to the gradient of a bias; only of bfloat16.</summary>
    public static IEnumerable<OpCase> Attention =>
        from headSize in new[] { 32, 64, 80, 128 }
        from options in new[] { "alone", "padding", "bias", "slopes" }
        from keys in options == "bias" ? new[] { 140, 262 } : [140]
        select new OpCase("Attention", $"heads of {headSize}, {options}, {keys} keys")
        {
            Inputs =
            [
                Normal("q", 1, 70, 2, headSize), Normal("k", 1, keys, 2, headSize), Normal("v", 1, keys, 2, headSize),
                .. options switch
                {
                    "bias" => [Normal("bias", 2, 70, keys)], "slopes" => [Uniform("slopes", 0.1f, 0.5f, 2)],
                    "padding" => [Lengths("mask", keys, keys - 5)], _ => Array.Empty<Input>(),
                },
            ],
            ReductionLength = keys,
            Run = o => Ops.Attention(o[0], o[1], o[2], options switch
            {
                "bias" => new AttentionOptions(Bias: o[3], Dropout: o.Dropout(0.1)),
                "slopes" => new AttentionOptions(Slopes: o[3]), "padding" => new AttentionOptions(o[3]), _ => default,
            }),
        };

    private static OpCase Convolution(string name, int[] x, int outs, int kernel, Conv1dOptions options) => new("Conv1d", name)
    {
        Inputs = [Normal("x", x), Normal("w", outs, kernel, x[2] / options.Groups), Normal("b", outs)],
        Run = o => Ops.Conv1d(o[0], o[1], o[2], options, Activation.Gelu), ReductionLength = Math.Max(x[1], kernel * x[2]),
    };
}
