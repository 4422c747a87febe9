using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Sums (and maxima) over the threads of a group in a fixed order: shuffles inside each warp, then the warps' sums through
/// shared memory, added by every thread in warp order. No float atomics, so the bits do not change from run to run.
/// </summary>
internal static class RowReduction
{
    /// <summary>Threads of a group; a multiple of the warp size.</summary>
    public const int GroupSize = 256;

    private const int MostWarps = 64;

    /// <summary>The sum of one value per thread, known to all of them afterwards. Every thread of the group must call.</summary>
    public static float Sum(float value)
    {
        var partial = SharedMemory.Allocate<float>(MostWarps);
        for (var offset = Warp.WarpSize / 2; offset > 0; offset /= 2) value += Warp.ShuffleDown(value, offset);
        if (Warp.IsFirstLane) partial[Warp.WarpIdx] = value;
        Group.Barrier();
        var sum = 0f;
        for (var i = 0; i < Group.DimX / Warp.WarpSize; i++) sum += partial[i];
        Group.Barrier();
        return sum;
    }

    /// <summary>As above for two values at once.</summary>
    public static void Sum(ref float first, ref float second)
    {
        var partial = SharedMemory.Allocate<float>(2 * MostWarps);
        float a = first, b = second;
        for (var offset = Warp.WarpSize / 2; offset > 0; offset /= 2)
        {
            a += Warp.ShuffleDown(a, offset);
            b += Warp.ShuffleDown(b, offset);
        }
        if (Warp.IsFirstLane)
        {
            partial[2 * Warp.WarpIdx] = a;
            partial[2 * Warp.WarpIdx + 1] = b;
        }
        Group.Barrier();
        a = b = 0;
        for (var i = 0; i < Group.DimX / Warp.WarpSize; i++)
        {
            a += partial[2 * i];
            b += partial[2 * i + 1];
        }
        Group.Barrier();
        first = a;
        second = b;
    }

    /// <summary>As above in double.</summary>
    public static double Sum(double value)
    {
        var partial = SharedMemory.Allocate<double>(MostWarps);
        for (var offset = Warp.WarpSize / 2; offset > 0; offset /= 2) value += Warp.ShuffleDown(value, offset);
        if (Warp.IsFirstLane) partial[Warp.WarpIdx] = value;
        Group.Barrier();
        double sum = 0;
        for (var i = 0; i < Group.DimX / Warp.WarpSize; i++) sum += partial[i];
        Group.Barrier();
        return sum;
    }

    /// <summary>The largest of one value per thread; NaN when one is.</summary>
    public static float Max(float value)
    {
        var partial = SharedMemory.Allocate<float>(MostWarps);
        for (var offset = Warp.WarpSize / 2; offset > 0; offset /= 2)
            value = DeviceMath.Max(value, Warp.ShuffleDown(value, offset));
        if (Warp.IsFirstLane) partial[Warp.WarpIdx] = value;
        Group.Barrier();
        var largest = partial[0];
        for (var i = 1; i < Group.DimX / Warp.WarpSize; i++) largest = DeviceMath.Max(largest, partial[i]);
        Group.Barrier();
        return largest;
    }
}
