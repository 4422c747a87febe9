using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>LayerNorm for any ILGPU device: one group per row, two passes over the row, sums in float32.</summary>
internal static class LayerNormKernels
{
    /// <summary>y = (x - mean) * rstd * gamma + beta; see <see cref="LayerNormArgs"/>. Grid: rows; group: GroupSize.</summary>
    public static void Forward(
        ArrayView<float> x, ArrayView<float> gamma, ArrayView<float> beta, ArrayView<float> y, ArrayView<float> mean,
        ArrayView<float> rstd, int columns, float eps)
    {
        var row = (long)Grid.IdxX * columns;
        var sum = 0f;
        for (var c = Group.IdxX; c < columns; c += Group.DimX) sum += x[row + c];
        var m = RowReduction.Sum(sum) / columns;
        var squares = 0f;
        for (var c = Group.IdxX; c < columns; c += Group.DimX)
        {
            var d = x[row + c] - m;
            squares += d * d;
        }
        var r = 1f / MathF.Sqrt(RowReduction.Sum(squares) / columns + eps);
        for (var c = Group.IdxX; c < columns; c += Group.DimX)
            y[row + c] = (x[row + c] - m) * r * gamma[c] + beta[c];
        if (Group.IsFirstThread)
        {
            mean[Grid.IdxX] = m;
            rstd[Grid.IdxX] = r;
        }
    }
}
