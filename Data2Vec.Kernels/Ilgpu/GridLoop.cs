using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Where a thread of an element-wise kernel begins, and how far it steps: a loop over the whole grid.</summary>
internal static class GridLoop
{
    public static long Start => (long)Grid.IdxX * Group.DimX + Group.IdxX;

    public static long Step => (long)Grid.DimX * Group.DimX;
}
