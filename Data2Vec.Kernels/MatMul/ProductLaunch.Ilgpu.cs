using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>The kernels of a product of two kinds of operands.</summary>
internal sealed class ProductPair<T, TLeft, TRight>(string name)
    where T : unmanaged, IElement<T>
    where TLeft : struct, IProductOperand
    where TRight : struct, IProductOperand
{
    public KernelSource<ProductArgs<T, TLeft, TRight>> Large { get; } =
        new($"{name} 128x64 {KernelNames.Of<T>()}", ProductKernels<T, TLeft, TRight>.Large);

    public KernelSource<ProductArgs<T, TLeft, TRight>> Small { get; } =
        new($"{name} 64x32 {KernelNames.Of<T>()}", ProductKernels<T, TLeft, TRight>.Small);
}

public sealed partial class IlgpuBackend
{
    // Numbers of the shape only, not of the device: the order of the sums depends on them.
    private const int LargeGroups = 256;
    private const int SmallGroups = 1024;
    private const int ShortestPart = 128;
    private const long MostPartial = 1 << 24;

    /// <summary>
    /// Queues a product whose operands, extents, batch and end are set: chooses the tile, and cuts the inner extent
    /// where tiles alone would leave most of a GPU idle.
    /// </summary>
    private void Multiply<T, TLeft, TRight>(
        ProductPair<T, TLeft, TRight> kernels, ref ProductArgs<T, TLeft, TRight> a)
        where T : unmanaged, IElement<T>
        where TLeft : struct, IProductOperand
        where TRight : struct, IProductOperand
    {
        if (a.M == 0 || a.N == 0 || a.BatchCount == 0) return;
        var (large, small) = (Tiles<LargeTile, T, TLeft, TRight>(a), Tiles<SmallTile, T, TLeft, TRight>(a));
        var parts = PartsOf(a, large, LargeGroups);
        // A small tile has a quarter of the elements. Small tiles where large ones would be few or mostly empty.
        var isLarge = large * parts >= LargeGroups / 4 && large * 3 <= small;
        if (!isLarge) parts = PartsOf(a, small, SmallGroups);
        var rows = isLarge ? new LargeTile().Rows : new SmallTile().Rows;
        var columns = isLarge ? new LargeTile().Columns : new SmallTile().Columns;
        var depth = new LargeTile().Depth;
        a.RowTiles = (a.M + rows - 1) / rows;
        a.ColumnTiles = (a.N + columns - 1) / columns;
        a.PartLength = (int)(((a.K + (long)parts - 1) / parts + depth - 1) / depth * depth);
        a.Parts = a.K == 0 ? 1 : (a.K + a.PartLength - 1) / a.PartLength;
        var groups = checked(a.RowTiles * a.ColumnTiles * a.BatchCount * a.Parts);
        var threads = rows * columns / 32;
        if (a.Parts == 1)
        {
            Launch(isLarge ? kernels.Large : kernels.Small, new Index3D(groups, 1, 1), threads, a);
            return;
        }
        var count = a.BatchCount * a.M * a.N;
        var memory = pool.Allocate((long)a.Parts * count * sizeof(float));
        a.Partial = View<float>(new BufferView(memory, 0, DType.Float32));
        Launch(isLarge ? kernels.Large : kernels.Small, new Index3D(groups, 1, 1), threads, a);
        LaunchElements(ProductSumKernels<T>.Sum, count, new ProductSumArgs<T>
        {
            Partial = a.Partial, Parts = a.Parts, Count = count, Matrix = new Divisor(a.M * a.N),
            Columns = new Divisor(a.N), Batch = a.Batch, End = a.End,
        });
        pool.Free(memory);
    }

    private static long Tiles<TTile, T, TLeft, TRight>(in ProductArgs<T, TLeft, TRight> a)
        where TTile : unmanaged, IProductTile
        where T : unmanaged, IElement<T>
        where TLeft : struct, IProductOperand
        where TRight : struct, IProductOperand
    {
        var tile = default(TTile);
        return (long)((a.M + tile.Rows - 1) / tile.Rows) * ((a.N + tile.Columns - 1) / tile.Columns) * a.BatchCount;
    }

    private static int PartsOf<T, TLeft, TRight>(in ProductArgs<T, TLeft, TRight> a, long tiles, int groups)
        where T : unmanaged, IElement<T>
        where TLeft : struct, IProductOperand
        where TRight : struct, IProductOperand
    {
        var wanted = groups / tiles;
        var affordable = Math.Min(a.K / ShortestPart, MostPartial / ((long)a.BatchCount * a.M * a.N));
        return (int)Math.Clamp(affordable, 1, Math.Max(1, wanted));
    }
}
