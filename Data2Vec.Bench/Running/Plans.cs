using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Bench.Running;

/// <summary>Plans for products that their shapes alone would not get.</summary>
internal static class Plans
{
    /// <summary>
    /// Large tiles where there are kernels for them, and sums in so many parts, as far as the terms go.
    /// </summary>
    public static ProductPlanner Cut(bool large, int parts) => (_, _, k, _, type, canBeLarge) =>
    {
        var depth = 64 / type.Size();
        var length = Math.Max(depth, (k + parts * depth - 1) / (parts * depth) * depth);
        return new ProductPlan(large && canBeLarge, Math.Max(1, (k + length - 1) / length), length);
    };
}
