using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>
/// Patch embedding, a composite of a permutation and Linear, against a strided convolution over rows.
/// </summary>
internal static class PatchEmbeddingCases
{
    private const string Op = nameof(Ops.PatchEmbedding);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("patches of 2", [2, 6, 4, 3], 5, 2),
        Of("patches of 3, one channel", [2, 3, 9, 1], 7, 3),
        Of("patches of one pixel", [1, 3, 2, 4], 5, 1),
        Of("one patch", [2, 4, 4, 3], 9, 4, bias: false),
        Of("no images", [0, 4, 4, 3], 9, 2),
        Of("vision base", [2, 224, 224, 3], 768, 16, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        Refused("an image that patches do not tile", "multiples of the patch 4", [1, 8, 6, 3], [5, 4, 4, 3]),
        Refused("an image smaller than the patch", "multiples of the patch 8", [1, 8, 7, 3], [5, 8, 8, 3]),
        Refused("patches of no pixels", "multiples of the patch 0", [1, 8, 8, 3], [5, 0, 0, 3]),
        Refused("patches that are not square", "weight [out, P, P, channels]", [1, 8, 8, 3], [5, 4, 2, 3]),
        Refused("patches of other channels", "the same channels", [1, 8, 8, 1], [5, 4, 4, 3]),
        new(Op, "a bias of another length", "bias must have shape (5)",
            [Normal("x", 1, 4, 4, 3), Normal("w", 5, 2, 2, 3), Normal("b", 4)],
            o => Ops.PatchEmbedding(o[0], o[1], o[2])),
    ];

    private static OpError Refused(string name, string fragment, int[] x, int[] w) =>
        new(Op, name, fragment, [Normal("x", x), Normal("w", w)], o => Ops.PatchEmbedding(o[0], o[1]));

    private static OpCase Of(string name, int[] x, int outs, int patch, bool bias = true, CaseSize size = CaseSize.Tiny)
    {
        var inner = patch * patch * x[3];
        var patches = x[0] * (x[1] / patch) * (x[2] / patch);
        var bound = MathF.Sqrt(3f / inner);
        Input[] operands = [Normal("x", x), Uniform("w", -bound, bound, outs, patch, patch, x[3])];
        return new(Op, name)
        {
            Size = size,
            Inputs = bias ? [.. operands, Normal("b", outs)] : operands,
            Run = o => Ops.PatchEmbedding(o[0], o[1], bias ? o[2] : null),
            ReductionLength = Math.Max(patches, Math.Max(inner, outs)),
            Flops = 2.0 * patches * inner * outs,
            Composite = size == CaseSize.Tiny ? o => Composed(o[0], o[1], bias ? o[2] : null) : null,
        };
    }

    /// <summary>Rows of patches as signals over the width with P * C channels, convolved with stride P.</summary>
    private static Tensor Composed(Tensor x, Tensor w, Tensor? bias)
    {
        var (batch, height, width, channels) = (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]);
        var (outs, patch) = (w.Shape[0], w.Shape[1]);
        var rows = batch * (height / patch);
        var signals = Ops.Permute(Ops.Reshape(x, new Shape(rows, patch, width, channels)), 0, 2, 1, 3);
        var taps = Ops.Reshape(Ops.Permute(w, 0, 2, 1, 3), new Shape(outs, patch, patch * channels));
        signals = Ops.Reshape(signals, new Shape(rows, width, patch * channels));
        var y = Ops.Conv1d(signals, taps, bias, new Conv1dOptions(Stride: patch));
        return Ops.Reshape(y, new Shape(batch, height / patch * (width / patch), outs));
    }
}
