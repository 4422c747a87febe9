using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>
/// Matrices, each [Height, Width] in y with rows YStride apart and [Width, Height] in x with rows XStride apart; Rest says
/// where each of them lies.
/// </summary>
internal struct TransposeKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Y;
    public DeviceLayout Rest;
    public long XStride, YStride, Tiles;
    public int Width, Height, TilesAcross, TilesDown;
}

internal static class TransposeKernels
{
    /// <summary>Width and height of a tile: a warp reads or writes one of its rows.</summary>
    public const int Tile = 32;

    /// <summary>A warp to each row, eight rows at a time.</summary>
    public const int Threads = 256;
}

/// <summary>
/// A copy between layouts that are dense along different dimensions. Tiles are read along x and written along y, so that
/// neighbouring threads touch neighbouring elements on both sides; in between they lie in shared memory.
/// </summary>
internal static class TransposeKernels<T>
    where T : unmanaged
{
    public static readonly KernelSource<TransposeKernelArgs<T>> Forward =
        new($"strided_copy_fwd_transpose {KernelNames.OfSize<T>()}", Move);

    // One more than a row, so that the elements of a column lie in different banks.
    private const int Pitch = TransposeKernels.Tile + 1;

    private static void Move(TransposeKernelArgs<T> a)
    {
        var tile = SharedMemory.Allocate<T>(TransposeKernels.Tile * Pitch);
        var lane = Group.IdxX % TransposeKernels.Tile;
        var first = Group.IdxX / TransposeKernels.Tile;
        for (long t = Grid.IdxX; t < a.Tiles; t += Grid.DimX)
        {
            GridLoop.Split(t, a.TilesAcross, out var above, out var across);
            GridLoop.Split(above, a.TilesDown, out var matrix, out var down);
            a.Rest.Offsets(matrix, out var x, out var y, out _);
            var left = (int)across * TransposeKernels.Tile;
            var top = (int)down * TransposeKernels.Tile;
            for (var row = first; row < TransposeKernels.Tile; row += TransposeKernels.Threads / TransposeKernels.Tile)
            {
                if (left + row < a.Width && top + lane < a.Height)
                    tile[row * Pitch + lane] = a.X[x + (left + row) * a.XStride + top + lane];
            }
            Group.Barrier();
            for (var row = first; row < TransposeKernels.Tile; row += TransposeKernels.Threads / TransposeKernels.Tile)
            {
                if (top + row < a.Height && left + lane < a.Width)
                    a.Y[y + (top + row) * a.YStride + left + lane] = tile[lane * Pitch + row];
            }
            Group.Barrier();
        }
    }
}
