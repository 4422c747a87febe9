using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void ScatterRows(in ScatterRowsArgs a)
    {
        var rows = DeviceIndices.Of(a.Rows);
        // First all indices, in a kernel of their own: a bad one is refused before anything is written.
        LaunchElements(RowCheckKernels.Check, a.Count, new RowCheckKernelArgs
        {
            Rows = rows, Fault = Faults, Count = a.Count, Limit = a.YRows,
        });
        if (a.Accumulate)
        {
            if (a.X.DType == DType.BFloat16) Run(ScatterAddKernels<Brain>.Forward, a, a.Columns);
            else if (a.X.DType == DType.Float32) Run(ScatterAddKernels<Full>.Forward, a, a.Columns);
            else throw NoSuchType("ScatterRows", a.X.DType);
            return;
        }
        var size = a.X.DType.Size();
        var unit = UnitOf((long)a.Columns * size, a.X.Offset * size, a.Y.Offset * size);
        var width = (int)((long)a.Columns * size / unit);
        switch (unit)
        {
            case 16: Run(ScatterRowsKernels<Four<uint>>.Forward, a, width); break;
            case 8: Run(ScatterRowsKernels<ulong>.Forward, a, width); break;
            case 4: Run(ScatterRowsKernels<uint>.Forward, a, width); break;
            case 2: Run(ScatterRowsKernels<ushort>.Forward, a, width); break;
            default: Run(ScatterRowsKernels<byte>.Forward, a, width); break;
        }

        void Run<T>(KernelSource<ScatterRowsKernelArgs<T>> kernel, in ScatterRowsArgs a, int width)
            where T : unmanaged
        {
            var threads = GroupSize(width);
            var groups = (width + threads - 1) / threads;
            // Groups that share columns divide the target rows among themselves; all of them read the list.
            var shares = (int)Math.Clamp(Math.Min(a.Count / 8, a.YRows), 1, Math.Max(1, 512 / Math.Max(1, groups)));
            if (a.Count == 0) return;
            Launch(kernel, new(groups, shares, 1), threads, new ScatterRowsKernelArgs<T>
            {
                X = View<T>(a.X), Y = View<T>(a.Y), Rows = rows, Fault = Faults, Count = (int)a.Count, Width = width,
                Ignore = a.IgnoreRow,
            });
        }
    }
}

/// <summary>Operands as in <see cref="ScatterRowsArgs"/>; a row has Width elements, each perhaps several of the caller's.</summary>
internal struct ScatterRowsKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Y;
    public DeviceIndices Rows;
    public ArrayView<Fault> Fault;
    public long Ignore;
    public int Count, Width;

    /// <summary>The first place from one on whose row falls to this group; Count when there is none.</summary>
    public readonly int Next(int place, out long row)
    {
        row = 0;
        for (; place < Count; place++)
        {
            row = Rows[place];
            // 32 bits are enough to choose by, and a 64-bit remainder is slow.
            if (row != Ignore && (uint)row % (uint)Grid.DimY == (uint)Grid.IdxY) return place;
        }
        return Count;
    }
}

internal struct RowCheckKernelArgs
{
    public DeviceIndices Rows;
    public ArrayView<Fault> Fault;
    public long Count, Limit;
}

internal static class RowCheckKernels
{
    public static readonly KernelSource<RowCheckKernelArgs> Check = new("scatter_rows_check", Look);

    public static IEnumerable<KernelSource> All =>
    [
        Check, ScatterAddKernels<Full>.Forward, ScatterAddKernels<Brain>.Forward,
        ScatterRowsKernels<byte>.Forward, ScatterRowsKernels<ushort>.Forward, ScatterRowsKernels<uint>.Forward,
        ScatterRowsKernels<ulong>.Forward, ScatterRowsKernels<Four<uint>>.Forward,
    ];

    private static void Look(RowCheckKernelArgs a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
            Fault.Admits(a.Fault, IndexedOp.ScatterRows, a.Rows[i], i, a.Limit);
    }
}

/// <summary>
/// A thread owns a column of some rows and walks the list in order, so of equal indices the last wins; elements are bytes
/// without a meaning.
/// </summary>
internal static class ScatterRowsKernels<T>
    where T : unmanaged
{
    public static readonly KernelSource<ScatterRowsKernelArgs<T>> Forward =
        new($"scatter_rows_fwd {KernelNames.OfSize<T>()}", Move);

    private static void Move(ScatterRowsKernelArgs<T> a)
    {
        var column = (int)GridLoop.Start;
        if (a.Fault[0].Op != 0 || column >= a.Width) return;
        for (var i = a.Next(0, out var row); i < a.Count; i = a.Next(i + 1, out row))
            a.Y[row * a.Width + column] = a.X[(long)i * a.Width + column];
    }
}

/// <summary>As <see cref="ScatterRowsKernels{T}"/>, adding in the order of the list.</summary>
internal static class ScatterAddKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<ScatterRowsKernelArgs<T>> Forward = new($"scatter_rows_fwd_add {KernelNames.Of<T>()}", Add);

    private static void Add(ScatterRowsKernelArgs<T> a)
    {
        var column = (int)GridLoop.Start;
        if (a.Fault[0].Op != 0 || column >= a.Width) return;
        for (var i = a.Next(0, out var row); i < a.Count; i = a.Next(i + 1, out row))
        {
            var at = row * a.Width + column;
            a.Y[at] = default(T).Narrow(a.Y[at].Widen() + a.X[(long)i * a.Width + column].Widen());
        }
    }
}
