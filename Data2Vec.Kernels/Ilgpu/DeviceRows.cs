namespace Data2Vec.Kernels.Ilgpu;

/// <summary>A list of rows that may be absent: then every position is its own row.</summary>
internal struct DeviceRows
{
    private DeviceIndices list;
    private int given;

    /// <summary>False when there is no list.</summary>
    public readonly bool Given => given != 0;

    /// <summary>The row at a position.</summary>
    public readonly long At(long position) => given != 0 ? list[position] : position;

    public static DeviceRows Of(BufferView rows) =>
        rows.IsNone ? default : new DeviceRows { list = DeviceIndices.Of(rows), given = 1 };
}
