using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <summary>
    /// For every row of x the first position of a list that names it, and behind them, from <paramref name="limit"/> on, how
    /// many do. An index outside [0, limit) is noted as a fault of <paramref name="op"/>. Free it when its reader is queued.
    /// </summary>
    private IlgpuBuffer FindOwners(IndexedOp op, in DeviceRows rows, long count, long limit)
    {
        var owners = pool.Allocate(2 * limit * sizeof(int));
        var args = new RowOwnerArgs
        {
            Owners = View<int>(new BufferView(owners, 0, DType.Int32)), Rows = rows, Fault = Faults, Op = op, Count = count,
            Limit = limit,
        };
        LaunchElements(RowOwnerKernels.Clear, 2 * limit, args);
        LaunchElements(RowOwnerKernels.Find, count, args);
        return owners;
    }
}

internal struct RowOwnerArgs
{
    public ArrayView<int> Owners;
    public ArrayView<Fault> Fault;
    public DeviceRows Rows;
    public IndexedOp Op;
    public long Count, Limit;
}

/// <summary>
/// Turns a list of rows around, so that whoever writes a row finds what belongs to it: with atomics on integers, whose
/// outcome does not depend on their order.
/// </summary>
internal static class RowOwnerKernels
{
    public static readonly KernelSource<RowOwnerArgs> Clear = new("row_owners_clear", ClearAll);

    public static readonly KernelSource<RowOwnerArgs> Find = new("row_owners_find", FindFirst);

    public static IEnumerable<KernelSource> All => [Clear, Find];

    private static void ClearAll(RowOwnerArgs a)
    {
        for (var i = GridLoop.Start; i < 2 * a.Limit; i += GridLoop.Step) a.Owners[i] = i < a.Limit ? int.MaxValue : 0;
    }

    private static void FindFirst(RowOwnerArgs a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            var row = a.Rows.At(i);
            if (!Fault.Admits(a.Fault, a.Op, row, i, a.Limit)) continue;
            Atomic.Min(ref a.Owners[row], (int)i);
            Atomic.Add(ref a.Owners[a.Limit + row], 1);
        }
    }
}
