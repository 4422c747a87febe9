using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>A list of int32 or int64 indices as kernels read it; without one, every position is its own index.</summary>
internal struct DeviceRows
{
    private ArrayView<int> narrow;
    private ArrayView<long> wide;
    private int mode;

    /// <summary>False when there is no list.</summary>
    public readonly bool Given => mode != 0;

    /// <summary>The index at a position.</summary>
    public readonly long At(long position) => mode == 0 ? position : mode == 1 ? narrow[position] : wide[position];

    public static DeviceRows Of(BufferView rows) => rows.IsNone ? default
        : rows.DType == DType.Int32 ? new DeviceRows { mode = 1, narrow = IlgpuBackend.View<int>(rows) }
        : new DeviceRows { mode = 2, wide = IlgpuBackend.View<long>(rows) };
}
