using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void GatherRows(in GatherRowsArgs a)
    {
        var size = a.X.DType.Size();
        var unit = UnitOf((long)a.Columns * size, a.X.Offset * size, a.Y.Offset * size);
        var width = (int)((long)a.Columns * size / unit);
        switch (unit)
        {
            case 16: Run<Four<uint>>(a); break;
            case 8: Run<ulong>(a); break;
            case 4: Run<uint>(a); break;
            case 2: Run<ushort>(a); break;
            default: Run<byte>(a); break;
        }

        void Run<T>(in GatherRowsArgs a)
            where T : unmanaged => LaunchElements(GatherRowsKernels<T>.Forward, a.Count * width, new GatherRowsKernelArgs<T>
            {
                X = View<T>(a.X), Y = View<T>(a.Y), Rows = DeviceIndices.Of(a.Rows), Fault = Faults, Count = a.Count * width,
                Width = width, Limit = a.XRows,
            });
    }
}

/// <summary>Operands as in <see cref="GatherRowsArgs"/>; a row has Width elements, each several of the caller's.</summary>
internal struct GatherRowsKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Y;
    public DeviceIndices Rows;
    public ArrayView<Fault> Fault;
    public long Count, Limit;
    public int Width;
}

internal static class GatherRowsKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        GatherRowsKernels<byte>.Forward, GatherRowsKernels<ushort>.Forward, GatherRowsKernels<uint>.Forward,
        GatherRowsKernels<ulong>.Forward, GatherRowsKernels<Four<uint>>.Forward,
    ];
}

/// <summary>One element to a thread, in the order of y; elements are bytes without a meaning.</summary>
internal static class GatherRowsKernels<T>
    where T : unmanaged
{
    public static readonly KernelSource<GatherRowsKernelArgs<T>> Forward = new($"gather_rows_fwd {KernelNames.OfSize<T>()}", Move);

    private static void Move(GatherRowsKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            GridLoop.Split(i, a.Width, out var place, out var column);
            var row = a.Rows[place];
            // Who reads on before the fault is told meets no memory that was never written.
            a.Y[i] = Fault.Admits(a.Fault, IndexedOp.GatherRows, row, place, a.Limit) ? a.X[row * a.Width + column] : default;
        }
    }
}
