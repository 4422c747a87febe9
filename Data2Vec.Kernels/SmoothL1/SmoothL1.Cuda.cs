using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void SmoothL1(in SmoothL1Args a)
    {
        var type = ElementOf("SmoothL1", a.X);
        var single = a.Reduction is Reduction.Sum or Reduction.Mean;
        var elements = a.Reduction == Reduction.None;
        var sums = single ? Allocate(a.Count * sizeof(float)) : null;
        var args = new CudaSmoothL1Args
        {
            X = Address(a.X), Target = Address(a.Target), Elements = elements ? Address(a.Loss) : 0,
            PerRow = a.Reduction == Reduction.PerRow ? Address(a.Loss) : 0, Sums = Address(sums), Rows = CudaIndices.Of(a.Rows),
            Fault = FaultAddress, Count = a.Count, XRows = a.XRows, Columns = a.Columns, Beta = (float)a.Beta,
            Inverse = CudaSmoothL1.InverseOf(a.Beta), Scale = single ? 1 : (float)a.Scale,
        };
        if (InPacks(type, a.Columns, a.X, a.Target, elements ? a.Loss : default))
            Launch(CudaSmoothL1.Packs[type], CudaSmoothL1.BlocksOf(a.Count), CudaSmoothL1.Threads, args);
        else Launch(CudaSmoothL1.Forward[type], a.Count, ThreadsFor(a.Columns), args);
        if (sums is null) return;
        var divisor = a.Reduction == Reduction.Mean ? (double)a.Count * a.Columns : 1;
        Launch(CudaSmoothL1.Finish[type], 1, 1024, new CudaLossSumArgs
        {
            // The mean of nothing is not a number.
            Sums = args.Sums, Loss = Address(a.Loss), Count = a.Count, Scale = divisor == 0 ? double.NaN : a.Scale / divisor,
        });
        Free(sums);
    }

    /// <inheritdoc/>
    public void SmoothL1Backward(in SmoothL1BackwardArgs a)
    {
        var type = ElementOf("SmoothL1Backward", a.X);
        var divisor = a.Reduction == Reduction.Mean ? (double)a.Count * a.Columns : 1;
        var elements = a.Reduction == Reduction.None;
        var rows = CudaIndices.Of(a.Rows);
        var owners = a.Rows.IsNone ? null : FindOwners(IndexedOp.SmoothL1, rows, a.Count, a.XRows);
        var args = new CudaSmoothL1BackwardArgs
        {
            X = Address(a.X), Target = Address(a.Target), DLoss = Address(a.DLoss), DX = Address(a.DX),
            DTarget = Address(a.DTarget), Owners = Address(owners), Rows = rows, Count = a.Count, XRows = a.XRows,
            Columns = a.Columns, ElementStep = elements ? 1 : 0, RowStep = a.Reduction == Reduction.PerRow ? 1 : 0,
            Beta = (float)a.Beta, Inverse = CudaSmoothL1.InverseOf(a.Beta), Scale = (float)(a.Scale / divisor),
        };
        if (InPacks(type, a.Columns, a.X, a.Target, a.DX, a.DTarget, elements ? a.DLoss : default))
            Launch(CudaSmoothL1.PacksBackward[type], CudaSmoothL1.BlocksOf(a.XRows), CudaSmoothL1.Threads, args);
        else Launch(CudaSmoothL1.Backward[type], a.XRows, ThreadsFor(a.Columns), args);
        if (owners is not null) Free(owners);
    }

    /// <summary>
    /// For every row the list's length less the first position that names it, 0 without one, and behind them how many do. An
    /// index outside [0, limit) is noted as a fault of <paramref name="op"/>. Free it when its reader is queued.
    /// </summary>
    private DeviceBuffer FindOwners(IndexedOp op, in CudaIndices rows, long count, long limit)
    {
        var owners = Allocate(2 * limit * sizeof(int));
        runtime.Clear((CudaBuffer)owners);
        Launch(CudaSmoothL1.Owners, Math.Min((count + 255) / 256, 1024), 256, new CudaRowOwnerArgs
        {
            Owners = Address(owners), Rows = rows, Fault = FaultAddress, Count = count, Limit = limit, Op = (int)op,
        });
        return owners;
    }
}

/// <summary>Operands as in <see cref="SmoothL1Args"/>; kernels/smooth_l1.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaSmoothL1Args
{
    public ulong X, Target, Elements, PerRow, Sums;
    public CudaIndices Rows;
    public ulong Fault;
    public long Count, XRows;
    public int Columns;
    public float Beta, Inverse, Scale;
}

/// <summary>One block adds up rows' losses; kernels/common/loss_sums.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaLossSumArgs
{
    public ulong Sums, Loss;
    public long Count;
    public double Scale;
}

/// <summary>Whose rows are whose; kernels/smooth_l1.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaRowOwnerArgs
{
    public ulong Owners;
    public CudaIndices Rows;
    public ulong Fault;
    public long Count, Limit;
    public int Op;
    private readonly int reserved;
}

/// <summary>Operands as in <see cref="SmoothL1BackwardArgs"/>; kernels/smooth_l1.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaSmoothL1BackwardArgs
{
    public ulong X, Target, DLoss, DX, DTarget, Owners;
    public CudaIndices Rows;
    public long Count, XRows;
    public int Columns, ElementStep, RowStep;
    public float Beta, Inverse, Scale;
}

/// <summary>The kernels of kernels/smooth_l1.cu.</summary>
internal static class CudaSmoothL1
{
    /// <summary>Threads of a block whose warps each take a row.</summary>
    public const int Threads = 256;

    private static readonly TypedSource Source = new("smooth_l1.cu");

    public static readonly TypedKernel<CudaSmoothL1Args> Packs = new(Source, "smooth_l1_fwd_packs");

    public static readonly TypedKernel<CudaSmoothL1Args> Forward = new(Source, "smooth_l1_fwd");

    public static readonly TypedKernel<CudaLossSumArgs> Finish = new(Source, "smooth_l1_fwd_finish");

    public static readonly TypedKernel<CudaSmoothL1BackwardArgs> PacksBackward = new(Source, "smooth_l1_bwd_packs");

    public static readonly TypedKernel<CudaSmoothL1BackwardArgs> Backward = new(Source, "smooth_l1_bwd");

    private static readonly TypedKernel<CudaRowOwnerArgs> OwnersOfRows = new(Source, "smooth_l1_bwd_owners");

    /// <summary>Reads no elements: one type's is everybody's.</summary>
    public static CudaKernel<CudaRowOwnerArgs> Owners => OwnersOfRows[DType.Float32];

    public static IEnumerable<CudaKernel> All =>
    [
        .. Packs.Both, .. Forward.Both, .. Finish.Both, .. PacksBackward.Both, .. Backward.Both, .. OwnersOfRows.Both,
    ];

    /// <summary>1 / beta, or 0.</summary>
    public static float InverseOf(double beta) => beta == 0 ? 0 : (float)(1 / beta);

    /// <summary>Blocks for so many rows, a warp each.</summary>
    public static long BlocksOf(long rows) => (rows + Threads / 32 - 1) / (Threads / 32);
}
