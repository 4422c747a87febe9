using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void SmoothL1Backward(in SmoothL1BackwardArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("SmoothL1Backward", a.X.DType);

        void Run<T>(in SmoothL1BackwardArgs a)
            where T : unmanaged, IElement<T>
        {
            var divisor = a.Reduction == Reduction.Mean ? (double)a.Count * a.Columns : 1;
            var args = new SmoothL1BackwardKernelArgs<T>
            {
                X = View<T>(a.X), Target = View<T>(a.Target), DLoss = View<T>(a.DLoss), DX = View<T>(a.DX),
                DTarget = View<T>(a.DTarget), Rows = DeviceRows.Of(a.Rows), XRows = a.XRows, Columns = a.Columns,
                Beta = (float)a.Beta, Scale = (float)(a.Scale / divisor), Reduction = a.Reduction,
                InFours = InFours(
                    a.Columns, a.X, a.Target, a.DX, a.DTarget, a.Reduction == Reduction.None ? a.DLoss : default) ? 1 : 0,
            };
            var owners = a.Rows.IsNone ? null : FindOwners(IndexedOp.SmoothL1, args.Rows, a.Count, a.XRows);
            if (owners is not null) args.Owners = View<int>(new BufferView(owners, 0, DType.Int32));
            var threads = GroupSize(args.InFours != 0 ? a.Columns / 4 : a.Columns);
            Launch(SmoothL1BackwardKernels<T>.Backward, new Index3D((int)a.XRows, 1, 1), threads, args);
            if (owners is not null) pool.Free(owners);
        }
    }
}

/// <summary>
/// Operands as in <see cref="SmoothL1BackwardArgs"/>; owners, with a list of rows, as <see cref="RowOwnerKernels"/> finds
/// them.
/// </summary>
internal struct SmoothL1BackwardKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Target, DLoss, DX, DTarget;
    public ArrayView<int> Owners;
    public DeviceRows Rows;
    public Reduction Reduction;
    public long XRows;
    public int Columns, InFours;
    public float Beta, Scale;
}

internal static class SmoothL1BackwardKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        SmoothL1BackwardKernels<Full>.Backward, SmoothL1BackwardKernels<Brain>.Backward,
    ];
}

/// <summary>
/// A group takes a row of x, and whatever rows of the target belong to it: every row of dx is written once, by one group,
/// which adds repeated rows in the order of the list.
/// </summary>
internal static class SmoothL1BackwardKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<SmoothL1BackwardKernelArgs<T>> Backward = new(
        $"smooth_l1_bwd {KernelNames.Of<T>()}", OfRow);

    private static void OfRow(SmoothL1BackwardKernelArgs<T> a)
    {
        var row = (long)Grid.IdxX;
        var first = row;
        var named = 1;
        if (a.Rows.Given)
        {
            first = a.Owners[row];
            named = a.Owners[a.XRows + row];
        }
        if (a.InFours != 0)
        {
            var fours = a.Columns >> 2;
            for (var c = Group.IdxX; c < fours; c += Group.DimX) FourOfRow(a, row * fours, c, fours, row, first, named);
        }
        else
        {
            for (var c = Group.IdxX; c < a.Columns; c += Group.DimX) OneOfRow(a, c, row, first, named);
        }
    }

    private static void OneOfRow(in SmoothL1BackwardKernelArgs<T> a, int c, long row, long first, int named)
    {
        var sum = 0f;
        var x = named > 0 ? a.X[row * a.Columns + c].Widen() : 0;
        var i = first;
        for (var left = named; left > 0; i++)
        {
            if (a.Rows.At(i) != row) continue;
            left--;
            var g = SmoothL1Kernels.Slope(x - a.Target[i * a.Columns + c].Widen(), a.Beta) * Factor(a, i);
            if (a.Reduction == Reduction.None) g *= a.DLoss[i * a.Columns + c].Widen();
            sum += g;
            if (a.DTarget.Length != 0) a.DTarget[i * a.Columns + c] = default(T).Narrow(-g);
        }
        if (a.DX.Length != 0) a.DX[row * a.Columns + c] = default(T).Narrow(sum);
    }

    private static void FourOfRow(
        in SmoothL1BackwardKernelArgs<T> a, long start, int c, int fours, long row, long first, int named)
    {
        Quad sum = default, x = default;
        if (named > 0) x = Quad.Load(a.X, start + c);
        var i = first;
        for (var left = named; left > 0; i++)
        {
            if (a.Rows.At(i) != row) continue;
            left--;
            var d = x - Quad.Load(a.Target, i * fours + c);
            var g = new Quad(
                SmoothL1Kernels.Slope(d.A, a.Beta), SmoothL1Kernels.Slope(d.B, a.Beta), SmoothL1Kernels.Slope(d.C, a.Beta),
                SmoothL1Kernels.Slope(d.D, a.Beta)) * Factor(a, i);
            if (a.Reduction == Reduction.None) g *= Quad.Load(a.DLoss, i * fours + c);
            sum += g;
            if (a.DTarget.Length != 0) (g * -1).Store(a.DTarget, i * fours + c);
        }
        if (a.DX.Length != 0) sum.Store(a.DX, start + c);
    }

    /// <summary>What the slopes of a row of the target are multiplied by; gradients of single elements come on top.</summary>
    private static float Factor(in SmoothL1BackwardKernelArgs<T> a, long i) => a.Reduction == Reduction.None ? a.Scale
        : a.Scale * a.DLoss[a.Reduction == Reduction.PerRow ? i : 0].Widen();
}
