using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>Smooth L1 for any ILGPU device: row gather, loss per row and gradient in one pass, one group per row.</summary>
internal static class SmoothL1Kernels
{
    /// <summary>Per-row loss and dx of <see cref="SmoothL1Args"/> with PerRow reduction. Grid: listed rows; group: GroupSize.</summary>
    public static void ForwardAndBackward(
        ArrayView<float> x, ArrayView<int> rows, ArrayView<float> target, ArrayView<float> loss, ArrayView<float> dx,
        int columns, float beta, float scale)
    {
        var from = (long)rows[Grid.IdxX] * columns;
        var to = (long)Grid.IdxX * columns;
        var sum = 0f;
        for (var c = Group.IdxX; c < columns; c += Group.DimX)
        {
            var d = x[from + c] - target[to + c];
            var distance = MathF.Abs(d);
            var inside = distance < beta;
            sum += beta == 0 ? d * d : inside ? 0.5f * d * d / beta : distance - 0.5f * beta;
            var slope = beta == 0 ? 2 * d : inside ? d / beta : d > 0 ? 1f : -1f;
            dx[from + c] = scale * slope;
        }
        var total = RowReduction.Sum(sum);
        if (Group.IsFirstThread) loss[Grid.IdxX] = total * scale;
    }
}
