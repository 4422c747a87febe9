using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <summary>target (+)= the sum of the chunks' rows, in an order that their number gives; nothing for an absent target.</summary>
    /// <param name="partial">Chunk i has its row of float32 at i * <paramref name="stride"/>.</param>
    /// <param name="chunks">Number of chunks; 0 gives zeros.</param>
    /// <param name="stride">Elements from chunk to chunk.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="target">[columns].</param>
    /// <param name="accumulate">Add to the target.</param>
    private void AddPartials<T>(
        ArrayView<float> partial, int chunks, long stride, int columns, BufferView target, bool accumulate)
        where T : unmanaged, IElement<T>
    {
        if (target.IsNone) return;
        var threads = PartialSums.Lanes * Math.Clamp(chunks / PartialSums.Unrolled, 1, PartialSums.MostSlices);
        var groups = (columns + PartialSums.Lanes - 1) / PartialSums.Lanes;
        Launch(PartialSums<T>.Kernel, new Index3D(groups, 1, 1), threads, new PartialSumArgs<T>
        {
            Partial = partial, Target = View<T>(target), Stride = stride, Chunks = chunks, Columns = columns,
            Accumulate = accumulate ? 1 : 0,
        });
    }
}

internal struct PartialSumArgs<T>
    where T : unmanaged
{
    public ArrayView<float> Partial;
    public ArrayView<T> Target;
    public long Stride;
    public int Chunks, Columns, Accumulate;
}

internal static class PartialSums
{
    /// <summary>Columns of a group, side by side in its warps.</summary>
    public const int Lanes = 32;

    /// <summary>Warps of a group at most; each adds up its share of the chunks.</summary>
    public const int MostSlices = RowReduction.GroupSize / Lanes;

    /// <summary>Loads of a thread that are under way together.</summary>
    public const int Unrolled = 4;

    public static IEnumerable<KernelSource> All => [PartialSums<Full>.Kernel, PartialSums<Brain>.Kernel];
}

/// <summary>The second stage of sums over rows.</summary>
internal static class PartialSums<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<PartialSumArgs<T>> Kernel = new($"partial_sums {KernelNames.Of<T>()}", Add);

    private static void Add(PartialSumArgs<T> a)
    {
        var slices = SharedMemory.Allocate<float>(RowReduction.GroupSize);
        int lane = Group.IdxX % PartialSums.Lanes, slice = Group.IdxX / PartialSums.Lanes;
        var count = Group.DimX / PartialSums.Lanes;
        var c = Grid.IdxX * PartialSums.Lanes + lane;
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        if (c < a.Columns)
        {
            var i = slice;
            for (; i + 3 * count < a.Chunks; i += 4 * count)
            {
                s0 += a.Partial[i * a.Stride + c];
                s1 += a.Partial[(i + count) * a.Stride + c];
                s2 += a.Partial[(i + 2 * count) * a.Stride + c];
                s3 += a.Partial[(i + 3 * count) * a.Stride + c];
            }
            for (; i < a.Chunks; i += count) s0 += a.Partial[i * a.Stride + c];
        }
        slices[Group.IdxX] = s0 + s1 + (s2 + s3);
        Group.Barrier();
        if (slice != 0 || c >= a.Columns) return;
        var sum = 0f;
        for (var i = 0; i < count; i++) sum += slices[i * PartialSums.Lanes + lane];
        if (a.Accumulate != 0) sum += a.Target[c].Widen();
        a.Target[c] = default(T).Narrow(sum);
    }
}
