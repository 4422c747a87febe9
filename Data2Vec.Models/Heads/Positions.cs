using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>One vector for all positions of a sample.</summary>
internal static class Positions
{
    /// <summary>[B, T, D] to [B, D]: the first position.</summary>
    public static Tensor First(Tensor x) =>
        Ops.Reshape(Ops.Slice(x, 1, 0, 1), new Shape(x.Shape[0], x.Shape[2]));

    /// <summary>[B, T, D] to [B, D]: the mean over each sample's first positions.</summary>
    /// <param name="x">[B, T, D].</param>
    /// <param name="lengths">Positions of each sample that count; null = all.</param>
    public static Tensor Mean(Tensor x, int[]? lengths)
    {
        var (batch, time) = (x.Shape[0], x.Shape[1]);
        if (lengths is null || Array.TrueForAll(lengths, n => n == time)) return Ops.Mean(x, [1]);
        var behind = new bool[batch * time];
        for (var b = 0; b < batch; b++) behind.AsSpan(b * time + lengths[b], time - lengths[b]).Fill(true);
        var shares = Array.ConvertAll(lengths, n => 1.0 / n);
        var sum = Ops.Sum(Ops.MaskRows(x, Tensor.From<bool>(x.Device, behind, new Shape(batch, time))), [1]);
        return Ops.Mul(sum, Tensor.FromDoubles(x.Device, shares, new Shape(batch, 1), x.DType));
    }
}
