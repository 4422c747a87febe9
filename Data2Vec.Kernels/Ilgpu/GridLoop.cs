using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Where a thread of an element-wise kernel begins, and how far it steps: a loop over the whole grid.</summary>
internal static class GridLoop
{
    public static long Start => (long)Grid.IdxX * Group.DimX + Group.IdxX;

    public static long Step => (long)Grid.DimX * Group.DimX;

    /// <summary>index = row * width + column; 64-bit division only where it must be.</summary>
    public static void Split(long index, long width, out long row, out long column)
    {
        if ((index | width) <= int.MaxValue)
        {
            var whole = (uint)index / (uint)width;
            row = whole;
            column = (uint)index - whole * (uint)width;
        }
        else
        {
            row = index / width;
            column = index - row * width;
        }
    }
}
