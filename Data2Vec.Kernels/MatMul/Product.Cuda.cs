using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels.Cuda;

/// <summary>A matrix as an operand of a product; kernels/common/operands.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaMatrix
{
    public ulong Data;
    public long LineStep, InnerStep;
}

/// <summary>A signal seen as rows of taps; kernels/common/operands.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaTapSignal
{
    public ulong Data;

    /// <summary>Elements of a sample.</summary>
    public long SampleSize;

    /// <summary>Rows of a sample, and channels that a row sees.</summary>
    public Divisor Rows, Width;

    public int Time, Channels, Start, RowStep, TapStep;
    private readonly int reserved;
}

/// <summary>Weights of a convolution turned over; kernels/common/operands.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaTurnedWeights
{
    public ulong Data;

    /// <summary>Elements from one output channel, one tap, to the next.</summary>
    public long OutStep, TapStep;

    /// <summary>Output channels of a group.</summary>
    public Divisor Outs;

    private readonly int reserved;
}

/// <summary>What becomes of the sums of a product; kernels/common/product.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaProductEnd
{
    public ulong C, Sums, Bias;
    public long SampleStep, RowStep;
    public Divisor SampleRows;
    public float Alpha;
    public Activation Activation;

    /// <summary>1 = add to C; 1 = runs of eight columns lie at multiples of 16 bytes.</summary>
    public int Accumulate, Wide;

    private readonly int reserved;
}

/// <summary>Offsets of the matrices of a batch; kernels/common/product.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaProductBatch
{
    private Steps left, right, c;
    private Extents extents;
    private int rank;

    /// <summary>Products.</summary>
    public int Count;

    public static CudaProductBatch Of(Shape shape, in Strides left, in Strides right, in Strides c)
    {
        var batch = new CudaProductBatch { rank = shape.Rank, Count = checked((int)shape.Count) };
        for (var d = 0; d < shape.Rank; d++)
        {
            batch.extents[d] = shape[d];
            (batch.left[d], batch.right[d], batch.c[d]) = (left[d], right[d], c[d]);
        }
        return batch;
    }

    /// <summary>One dimension: groups of a convolution; or one product.</summary>
    public static CudaProductBatch Of(int count, long left = 0, long right = 0, long c = 0)
    {
        var batch = new CudaProductBatch { rank = 1, Count = count };
        batch.extents[0] = count;
        (batch.left[0], batch.right[0], batch.c[0]) = (left, right, c);
        return batch;
    }

    /// <summary>
    /// The steps of a batch whose matrices are all one step apart, as if it had one dimension; null otherwise.
    /// </summary>
    public readonly (long Left, long Right, long C)? Even()
    {
        (long Left, long Right, long C)? even = null;
        var inside = 1L;
        for (var d = rank - 1; d >= 0; d--)
        {
            if (extents[d] == 1) continue;
            if (even is not { } e) even = (left[d], right[d], c[d]);
            else if ((left[d], right[d], c[d]) != (e.Left * inside, e.Right * inside, e.C * inside)) return null;
            inside *= extents[d];
        }
        return even ?? (0, 0, 0);
    }

    [InlineArray(Shape.MaxRank - 2)]
    private struct Steps
    {
        private long first;
    }

    [InlineArray(Shape.MaxRank - 2)]
    private struct Extents
    {
        private int first;
    }
}

/// <summary>A product for each index of a batch; kernels/common/product.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaProductArgs<TLeft, TRight>
    where TLeft : unmanaged
    where TRight : unmanaged
{
    public TLeft Left;
    public TRight Right;
    public CudaProductEnd End;
    public CudaProductBatch Batch;
    public ulong Partial;
    public int M, N, K, RowTiles, ColumnTiles, Parts, PartLength, PartialColumns;
}

/// <summary>The second stage of a product that was cut; kernels/common/product.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaProductSumArgs
{
    public ulong Partial;
    public CudaProductEnd End;
    public CudaProductBatch Batch;

    /// <summary>Runs of eight columns in all matrices together.</summary>
    public int Runs;

    public int Parts, N;
    private readonly int reserved;

    /// <summary>Runs of a row; rows of a matrix.</summary>
    public Divisor RowRuns, MatrixRows;
}
