using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>Matrix product for any ILGPU device: tiles of A and B in shared memory, one element of C per thread.</summary>
internal static class MatMulKernels
{
    /// <summary>Edge of a tile.</summary>
    public const int Tile = 16;

    /// <summary>
    /// C[m, n] = A[m, k] B[k, n] with the strides of <see cref="MatMulArgs"/>. Grid: tiles of columns x tiles of rows; group:
    /// Tile * Tile threads in one dimension.
    /// </summary>
    public static void Forward(
        ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, int m, int n, int k, int aRow, int aColumn, int bRow,
        int bColumn, int cRow)
    {
        var tileA = SharedMemory.Allocate<float>(Tile * Tile);
        var tileB = SharedMemory.Allocate<float>(Tile * Tile);
        var (x, y) = (Group.IdxX % Tile, Group.IdxX / Tile);
        var row = Grid.IdxY * Tile + y;
        var column = Grid.IdxX * Tile + x;
        var sum = 0f;
        for (var p = 0; p < k; p += Tile)
        {
            tileA[y * Tile + x] = row < m && p + x < k ? a[row * aRow + (p + x) * aColumn] : 0;
            tileB[y * Tile + x] = p + y < k && column < n ? b[(p + y) * bRow + column * bColumn] : 0;
            Group.Barrier();
            for (var i = 0; i < Tile; i++) sum += tileA[y * Tile + i] * tileB[i * Tile + x];
            Group.Barrier();
        }
        if (row < m && column < n) c[row * cRow + column] = sum;
    }
}
