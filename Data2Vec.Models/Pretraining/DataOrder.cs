using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>Declared places of host-side random draws: part of their keys.</summary>
internal static class DataSites
{
    public const uint Order = 2;
    public const uint Mask = 3;
    public const uint Augmentation = 4;
    public const uint Crop = 5;
}

/// <summary>Example number n of a run: every epoch is a fresh permutation, a function of the seed and its number alone.</summary>
/// <param name="count">Examples of an epoch, at least 1.</param>
/// <param name="seed">Seed of the run.</param>
internal sealed class DataOrder(int count, ulong seed)
{
    private int[] order = [];
    private long epoch = -1;

    /// <summary>Index of the example at a position of the run, counted from 0.</summary>
    public int At(long position)
    {
        if (position / count != epoch)
        {
            epoch = position / count;
            order = [.. Enumerable.Range(0, count)];
            new PhiloxStream(new RandomKey(seed, (uint)epoch, 0, DataSites.Order)).Shuffle<int>(order);
        }
        return order[position % count];
    }
}
