using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Cpu;

/// <summary>
/// Small products of operands where they lie: up to six rows of A by one or two vectors of B, all sums in registers.
/// What a matrix product packs first, because it reads it many times, is read once here: rows of a convolution, which
/// overlap.
/// </summary>
internal static unsafe class TileKernel<T>
    where T : struct, ILanes<T>
{
    /// <summary>Rows of a tile.</summary>
    public const int Rows = 6;

    /// <summary>Columns of a tile.</summary>
    public static int Columns => 2 * T.Width;

    /// <summary>
    /// C[i, j] (+)= sum over p of A[i * aRow + p * aStep] * B[p * bStep + j], for rows i up to 6 and columns j up to
    /// two vectors. B is read in whole vectors, so it must be readable up to the next multiple of the width.
    /// </summary>
    public static void Run(
        int k, float* a, int rows, long aRow, long aStep, float* b, long bStep, int columns, float* c, long cRow,
        bool add)
    {
        if (rows == Rows && columns == 2 * T.Width)
        {
            Two(k, a, rows, aRow, aStep, b, bStep, c, cRow, add);
            return;
        }
        if (rows == Rows && columns == T.Width)
        {
            One(k, a, rows, aRow, aStep, b, bStep, c, cRow, add);
            return;
        }
        Edge(k, a, rows, aRow, aStep, b, bStep, columns, c, cRow, add);
    }

    /// <summary>A tile that is not whole is computed whole, beside C.</summary>
    private static void Edge(
        int k, float* a, int rows, long aRow, long aStep, float* b, long bStep, int columns, float* c, long cRow,
        bool add)
    {
        var edge = stackalloc float[Rows * 32];
        var width = columns > T.Width ? 2 * T.Width : T.Width;
        if (columns > T.Width) Two(k, a, rows, aRow, aStep, b, bStep, edge, width, false);
        else One(k, a, rows, aRow, aStep, b, bStep, edge, width, false);
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++)
                c[i * cRow + j] = edge[i * width + j] + (add ? c[i * cRow + j] : 0);
    }

    // No call may stand in the methods below while sums are in registers: the JIT would keep them in memory throughout.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(
        int k, float* a0, int rows, long aRow, long aStep, float* b, long bStep, float* c, long cRow, bool add)
    {
        // Rows behind the last read it again.
        var a1 = rows > 1 ? a0 + aRow : a0;
        var a2 = rows > 2 ? a1 + aRow : a1;
        var a3 = rows > 3 ? a2 + aRow : a2;
        var a4 = rows > 4 ? a3 + aRow : a3;
        var a5 = rows > 5 ? a4 + aRow : a4;
        T c00 = T.Broadcast(0), c01 = c00;
        T c10 = c00, c11 = c00;
        T c20 = c00, c21 = c00;
        T c30 = c00, c31 = c00;
        T c40 = c00, c41 = c00;
        T c50 = c00, c51 = c00;
        long at = 0;
        for (var p = 0; p < k; p++)
        {
            var b0 = T.Load(b);
            var b1 = T.Load(b + T.Width);
            var x = T.Broadcast(a0[at]);
            c00 = T.MultiplyAdd(x, b0, c00);
            c01 = T.MultiplyAdd(x, b1, c01);
            x = T.Broadcast(a1[at]);
            c10 = T.MultiplyAdd(x, b0, c10);
            c11 = T.MultiplyAdd(x, b1, c11);
            x = T.Broadcast(a2[at]);
            c20 = T.MultiplyAdd(x, b0, c20);
            c21 = T.MultiplyAdd(x, b1, c21);
            x = T.Broadcast(a3[at]);
            c30 = T.MultiplyAdd(x, b0, c30);
            c31 = T.MultiplyAdd(x, b1, c31);
            x = T.Broadcast(a4[at]);
            c40 = T.MultiplyAdd(x, b0, c40);
            c41 = T.MultiplyAdd(x, b1, c41);
            x = T.Broadcast(a5[at]);
            c50 = T.MultiplyAdd(x, b0, c50);
            c51 = T.MultiplyAdd(x, b1, c51);
            at += aStep;
            b += bStep;
        }
        Put(c, c00, c01, add);
        Put(c + cRow, c10, c11, add);
        Put(c + 2 * cRow, c20, c21, add);
        Put(c + 3 * cRow, c30, c31, add);
        Put(c + 4 * cRow, c40, c41, add);
        Put(c + 5 * cRow, c50, c51, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(
        int k, float* a0, int rows, long aRow, long aStep, float* b, long bStep, float* c, long cRow, bool add)
    {
        var a1 = rows > 1 ? a0 + aRow : a0;
        var a2 = rows > 2 ? a1 + aRow : a1;
        var a3 = rows > 3 ? a2 + aRow : a2;
        var a4 = rows > 4 ? a3 + aRow : a3;
        var a5 = rows > 5 ? a4 + aRow : a4;
        T c0 = T.Broadcast(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
        long at = 0;
        for (var p = 0; p < k; p++)
        {
            var b0 = T.Load(b);
            c0 = T.MultiplyAdd(T.Broadcast(a0[at]), b0, c0);
            c1 = T.MultiplyAdd(T.Broadcast(a1[at]), b0, c1);
            c2 = T.MultiplyAdd(T.Broadcast(a2[at]), b0, c2);
            c3 = T.MultiplyAdd(T.Broadcast(a3[at]), b0, c3);
            c4 = T.MultiplyAdd(T.Broadcast(a4[at]), b0, c4);
            c5 = T.MultiplyAdd(T.Broadcast(a5[at]), b0, c5);
            at += aStep;
            b += bStep;
        }
        Put(c, c0, add);
        Put(c + cRow, c1, add);
        Put(c + 2 * cRow, c2, add);
        Put(c + 3 * cRow, c3, add);
        Put(c + 4 * cRow, c4, add);
        Put(c + 5 * cRow, c5, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* c, T v0, T v1, bool add)
    {
        Put(c, v0, add);
        Put(c + T.Width, v1, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* c, T v, bool add) => T.Store(c, add ? T.Load(c) + v : v);
}
