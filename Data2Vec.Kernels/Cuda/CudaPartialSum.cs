using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Cuda;

/// <summary>The second stage of sums over rows; kernels/common/partial_sums.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaPartialSumArgs
{
    public ulong Partial, First, Second;
    public int Blocks, Columns, Accumulate;
    private readonly int reserved;
}
