using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>A list of indices as kernels read it, of int32 or int64: its type is the same for all threads.</summary>
internal struct DeviceIndices
{
    private ArrayView<int> narrow;
    private ArrayView<long> wide;
    private int isWide;

    public readonly long this[long position] => isWide != 0 ? wide[position] : narrow[position];

    public static DeviceIndices Of(BufferView view) => view.DType == DType.Int64
        ? new() { wide = IlgpuBackend.View<long>(view), isWide = 1 }
        : new() { narrow = IlgpuBackend.View<int>(view) };
}
