using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Data2Vec.Kernels.Cpu;

/// <summary>
/// The innermost loops of matrix multiplication: C tile (+)= A panel * B panel. A panels hold [k][rows], B panels
/// [k][2 vectors], both packed. Rows are unrolled by hand so that every sum stays in a register: twelve where there are
/// 32 registers, six where there are 16.
/// </summary>
internal static unsafe class GemmMicroKernel<T>
    where T : struct, ILanes<T>
{
    /// <summary>Rows of a tile.</summary>
    public static int Rows => T.Registers >= 32 ? 12 : 6;

    /// <summary>Columns of a tile.</summary>
    public static int Columns => 2 * T.Width;

    /// <summary>One tile; <paramref name="add"/> adds to C instead of storing.</summary>
    public static void Run(int k, float* a, float* b, float* c, long row, bool add)
    {
        if (T.Registers >= 32) Micro12(k, a, b, c, row, add);
        else Micro6(k, a, b, c, row, add);
    }

    /// <summary>12 rows by two vectors of AVX-512. Instructions are named directly: through the lanes the JIT's inlining
    /// budget runs out half way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Micro12(int k, float* a, float* b, float* c, long row, bool add)
    {
        Vector512<float> c00 = default, c01 = default;
        Vector512<float> c10 = default, c11 = default;
        Vector512<float> c20 = default, c21 = default;
        Vector512<float> c30 = default, c31 = default;
        Vector512<float> c40 = default, c41 = default;
        Vector512<float> c50 = default, c51 = default;
        Vector512<float> c60 = default, c61 = default;
        Vector512<float> c70 = default, c71 = default;
        Vector512<float> c80 = default, c81 = default;
        Vector512<float> c90 = default, c91 = default;
        Vector512<float> c100 = default, c101 = default;
        Vector512<float> c110 = default, c111 = default;
        for (var p = 0; p < k; p++)
        {
            var b0 = Avx512F.LoadVector512(b);
            var b1 = Avx512F.LoadVector512(b + 16);
            Vector512<float> x;
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[0]));
            c00 = Avx512F.FusedMultiplyAdd(x, b0, c00);
            c01 = Avx512F.FusedMultiplyAdd(x, b1, c01);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[1]));
            c10 = Avx512F.FusedMultiplyAdd(x, b0, c10);
            c11 = Avx512F.FusedMultiplyAdd(x, b1, c11);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[2]));
            c20 = Avx512F.FusedMultiplyAdd(x, b0, c20);
            c21 = Avx512F.FusedMultiplyAdd(x, b1, c21);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[3]));
            c30 = Avx512F.FusedMultiplyAdd(x, b0, c30);
            c31 = Avx512F.FusedMultiplyAdd(x, b1, c31);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[4]));
            c40 = Avx512F.FusedMultiplyAdd(x, b0, c40);
            c41 = Avx512F.FusedMultiplyAdd(x, b1, c41);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[5]));
            c50 = Avx512F.FusedMultiplyAdd(x, b0, c50);
            c51 = Avx512F.FusedMultiplyAdd(x, b1, c51);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[6]));
            c60 = Avx512F.FusedMultiplyAdd(x, b0, c60);
            c61 = Avx512F.FusedMultiplyAdd(x, b1, c61);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[7]));
            c70 = Avx512F.FusedMultiplyAdd(x, b0, c70);
            c71 = Avx512F.FusedMultiplyAdd(x, b1, c71);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[8]));
            c80 = Avx512F.FusedMultiplyAdd(x, b0, c80);
            c81 = Avx512F.FusedMultiplyAdd(x, b1, c81);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[9]));
            c90 = Avx512F.FusedMultiplyAdd(x, b0, c90);
            c91 = Avx512F.FusedMultiplyAdd(x, b1, c91);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[10]));
            c100 = Avx512F.FusedMultiplyAdd(x, b0, c100);
            c101 = Avx512F.FusedMultiplyAdd(x, b1, c101);
            x = Avx512F.BroadcastScalarToVector512(Vector128.CreateScalarUnsafe(a[11]));
            c110 = Avx512F.FusedMultiplyAdd(x, b0, c110);
            c111 = Avx512F.FusedMultiplyAdd(x, b1, c111);
            a += 12;
            b += 32;
        }
        Put(c + 0 * row, c00, c01, add);
        Put(c + 1 * row, c10, c11, add);
        Put(c + 2 * row, c20, c21, add);
        Put(c + 3 * row, c30, c31, add);
        Put(c + 4 * row, c40, c41, add);
        Put(c + 5 * row, c50, c51, add);
        Put(c + 6 * row, c60, c61, add);
        Put(c + 7 * row, c70, c71, add);
        Put(c + 8 * row, c80, c81, add);
        Put(c + 9 * row, c90, c91, add);
        Put(c + 10 * row, c100, c101, add);
        Put(c + 11 * row, c110, c111, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* c, Vector512<float> v0, Vector512<float> v1, bool add)
    {
        if (add)
        {
            v0 = Avx512F.Add(Avx512F.LoadVector512(c), v0);
            v1 = Avx512F.Add(Avx512F.LoadVector512(c + 16), v1);
        }
        Avx512F.Store(c, v0);
        Avx512F.Store(c + 16, v1);
    }

    /// <summary>6 rows by two vectors, all sums in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Micro6(int k, float* a, float* b, float* c, long row, bool add)
    {
        var w = T.Width;
        T c00 = T.Broadcast(0), c01 = c00;
        T c10 = T.Broadcast(0), c11 = c10;
        T c20 = T.Broadcast(0), c21 = c20;
        T c30 = T.Broadcast(0), c31 = c30;
        T c40 = T.Broadcast(0), c41 = c40;
        T c50 = T.Broadcast(0), c51 = c50;
        for (var p = 0; p < k; p++)
        {
            var b0 = T.Load(b);
            var b1 = T.Load(b + w);
            var a0 = T.Broadcast(a[0]);
            c00 = T.MultiplyAdd(a0, b0, c00);
            c01 = T.MultiplyAdd(a0, b1, c01);
            var a1 = T.Broadcast(a[1]);
            c10 = T.MultiplyAdd(a1, b0, c10);
            c11 = T.MultiplyAdd(a1, b1, c11);
            var a2 = T.Broadcast(a[2]);
            c20 = T.MultiplyAdd(a2, b0, c20);
            c21 = T.MultiplyAdd(a2, b1, c21);
            var a3 = T.Broadcast(a[3]);
            c30 = T.MultiplyAdd(a3, b0, c30);
            c31 = T.MultiplyAdd(a3, b1, c31);
            var a4 = T.Broadcast(a[4]);
            c40 = T.MultiplyAdd(a4, b0, c40);
            c41 = T.MultiplyAdd(a4, b1, c41);
            var a5 = T.Broadcast(a[5]);
            c50 = T.MultiplyAdd(a5, b0, c50);
            c51 = T.MultiplyAdd(a5, b1, c51);
            a += 6;
            b += 2 * w;
        }
        Put(c + 0 * row, c00, c01, add);
        Put(c + 1 * row, c10, c11, add);
        Put(c + 2 * row, c20, c21, add);
        Put(c + 3 * row, c30, c31, add);
        Put(c + 4 * row, c40, c41, add);
        Put(c + 5 * row, c50, c51, add);
    }

    private static void Put(float* c, T v0, T v1, bool add)
    {
        if (add)
        {
            v0 = T.Load(c) + v0;
            v1 = T.Load(c + T.Width) + v1;
        }
        T.Store(c, v0);
        T.Store(c + T.Width, v1);
    }
}
