using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>Vectors of single positions.</summary>
internal static class Positions
{
    /// <summary>[B, T, D] to [B, D]: the first position.</summary>
    public static Tensor First(Tensor x) =>
        Ops.Reshape(Ops.Slice(x, 1, 0, 1), new Shape(x.Shape[0], x.Shape[2]));
}
