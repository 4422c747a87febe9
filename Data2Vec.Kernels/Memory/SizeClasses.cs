using System.Numerics;

namespace Data2Vec.Kernels;

/// <summary>Sizes that a pool hands out: four per power of two, from 256 bytes on.</summary>
internal static class SizeClasses
{
    /// <summary>Number of classes; every 47-bit size has one.</summary>
    public const int Count = 4 * 48;

    private const int SmallestLog2 = 8;

    /// <summary>The class of a size, and the bytes of that class.</summary>
    public static (int Class, long Bytes) Of(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes <= 1 << SmallestLog2) return (0, 1 << SmallestLog2);
        var log2 = BitOperations.Log2((ulong)bytes - 1);
        var quarter = 1L << (log2 - 2);
        var step = (bytes - 1 - (1L << log2)) / quarter + 1;
        return ((log2 - SmallestLog2) * 4 + (int)step, (1L << log2) + step * quarter);
    }
}
