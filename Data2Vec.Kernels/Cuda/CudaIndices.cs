using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Cuda;

/// <summary>A list of indices, or none: kernels/common/indices.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaIndices
{
    private ulong list;
    private int wide;
    private readonly int reserved;

    public static CudaIndices Of(BufferView view) => new()
    {
        list = CudaBackend.Address(view), wide = view.DType == DType.Int64 ? 1 : 0,
    };
}
