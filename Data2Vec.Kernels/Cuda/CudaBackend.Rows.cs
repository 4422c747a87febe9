using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

/// <content>What the operations on rows share on the host side.</content>
public sealed partial class CudaBackend
{
    /// <summary>Bytes of one access of the fast kernels.</summary>
    private const int PackBytes = 16;

    /// <summary>True when every row of every operand can be read in whole packs.</summary>
    private static bool InPacks(DType type, int columns, params ReadOnlySpan<BufferView> operands) =>
        columns * type.Size() % PackBytes == 0 && Aligned(operands);

    /// <summary>True when every operand begins at a multiple of a pack.</summary>
    private static bool Aligned(params ReadOnlySpan<BufferView> operands)
    {
        foreach (var operand in operands)
            if (operand.Offset * operand.DType.Size() % PackBytes != 0) return false;
        return true;
    }

    /// <summary>Threads of a block that has so many elements to share: whole warps, at most 256.</summary>
    private static int ThreadsFor(long elements) => (int)Math.Clamp((elements + 31) / 32 * 32, 32, 256);

    private void Launch<TArgs>(CudaKernel<TArgs> kernel, long blocks, int threads, in TArgs args)
        where TArgs : unmanaged => Launch(kernel, checked((int)blocks), threads, args);
}
