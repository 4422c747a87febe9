using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void SmoothL1(in SmoothL1Args a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("SmoothL1", a.X.DType);

        void Run<T>(in SmoothL1Args a)
            where T : unmanaged, IElement<T>
        {
            var single = a.Reduction is Reduction.Sum or Reduction.Mean;
            var sums = single ? pool.Allocate(a.Count * sizeof(float)) : null;
            var args = new SmoothL1KernelArgs<T>
            {
                X = View<T>(a.X), Target = View<T>(a.Target), Rows = DeviceRows.Of(a.Rows), Fault = Faults, XRows = a.XRows,
                Columns = a.Columns, Beta = (float)a.Beta, Scale = single ? 1 : (float)a.Scale,
                Elements = a.Reduction == Reduction.None ? View<T>(a.Loss) : ArrayView<T>.Empty,
                PerRow = a.Reduction == Reduction.PerRow ? View<T>(a.Loss) : ArrayView<T>.Empty,
                Sums = sums is null ? ArrayView<float>.Empty : View<float>(new BufferView(sums, 0, DType.Float32)),
                InFours = InFours(a.Columns, a.X, a.Target, a.Reduction == Reduction.None ? a.Loss : default) ? 1 : 0,
            };
            var threads = GroupSize(args.InFours != 0 ? a.Columns / 4 : a.Columns);
            Launch(SmoothL1Kernels<T>.Forward, new Index3D((int)a.Count, 1, 1), threads, args);
            if (sums is null) return;
            var scale = a.Reduction == Reduction.Sum ? a.Scale : a.Scale / ((double)a.Count * a.Columns);
            AddLosses<T>(args.Sums, a.Count, a.Count == 0 && a.Reduction == Reduction.Mean ? double.NaN : scale, a.Loss);
            pool.Free(sums);
        }
    }

    /// <summary>loss = scale * sum of the rows' losses, in double.</summary>
    private void AddLosses<T>(ArrayView<float> sums, long count, double scale, BufferView loss)
        where T : unmanaged, IElement<T> =>
        Launch(LossSums<T>.Kernel, new Index3D(1, 1, 1), GroupSize(count), new LossSumArgs<T>
        {
            Sums = sums, Loss = View<T>(loss), Count = count, Scale = scale,
        });
}

/// <summary>Operands as in <see cref="SmoothL1Args"/>; the loss is that of the reduction, the others are empty.</summary>
internal struct SmoothL1KernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Target, Elements, PerRow;
    public ArrayView<float> Sums;
    public ArrayView<Fault> Fault;
    public DeviceRows Rows;
    public long XRows;
    public int Columns, InFours;
    public float Beta, Scale;
}

internal struct LossSumArgs<T>
    where T : unmanaged
{
    public ArrayView<float> Sums;
    public ArrayView<T> Loss;
    public long Count;
    public double Scale;
}

internal static class SmoothL1Kernels
{
    public static IEnumerable<KernelSource> All =>
    [
        SmoothL1Kernels<Full>.Forward, SmoothL1Kernels<Brain>.Forward, LossSums<Full>.Kernel, LossSums<Brain>.Kernel,
        .. SmoothL1BackwardKernels.All,
    ];

    /// <summary>The loss of a difference.</summary>
    public static float Loss(float difference, float beta)
    {
        var d = DeviceMath.Abs(difference);
        return beta == 0 ? d * d : d < beta ? 0.5f * d * d / beta : d - 0.5f * beta;
    }

    /// <summary>Its derivative.</summary>
    public static float Slope(float difference, float beta)
    {
        if (beta == 0) return 2 * difference;
        if (DeviceMath.Abs(difference) < beta) return difference / beta;
        // What is neither above nor below 0 here is not a number, and stays it.
        return difference > 0 ? 1 : difference < 0 ? -1 : difference;
    }
}

/// <summary>A group takes a row of the target and the row of x that belongs to it.</summary>
internal static class SmoothL1Kernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<SmoothL1KernelArgs<T>> Forward = new($"smooth_l1_fwd {KernelNames.Of<T>()}", OfRow);

    private static void OfRow(SmoothL1KernelArgs<T> a)
    {
        var i = (long)Grid.IdxX;
        var row = a.Rows.At(i);
        if (!Fault.Admits(a.Fault, IndexedOp.SmoothL1, row, i, a.XRows))
        {
            // Nobody sees the loss, but what adds up the rows reads this one too.
            if (Group.IdxX == 0 && a.Sums.Length != 0) a.Sums[i] = 0;
            return;
        }
        var sum = 0f;
        if (a.InFours != 0)
        {
            var fours = a.Columns >> 2;
            for (var c = Group.IdxX; c < fours; c += Group.DimX)
            {
                var d = Quad.Load(a.X, row * fours + c) - Quad.Load(a.Target, i * fours + c);
                var loss = new Quad(
                    SmoothL1Kernels.Loss(d.A, a.Beta), SmoothL1Kernels.Loss(d.B, a.Beta), SmoothL1Kernels.Loss(d.C, a.Beta),
                    SmoothL1Kernels.Loss(d.D, a.Beta));
                if (a.Elements.Length != 0) (loss * a.Scale).Store(a.Elements, i * fours + c);
                sum += loss.Sum;
            }
        }
        else
        {
            for (var c = Group.IdxX; c < a.Columns; c += Group.DimX)
            {
                var d = a.X[row * a.Columns + c].Widen() - a.Target[i * a.Columns + c].Widen();
                var loss = SmoothL1Kernels.Loss(d, a.Beta);
                if (a.Elements.Length != 0) a.Elements[i * a.Columns + c] = default(T).Narrow(loss * a.Scale);
                sum += loss;
            }
        }
        if (a.PerRow.Length == 0 && a.Sums.Length == 0) return;
        sum = RowReduction.Sum(sum);
        if (!Group.IsFirstThread) return;
        if (a.PerRow.Length != 0) a.PerRow[i] = default(T).Narrow(sum * a.Scale);
        else a.Sums[i] = sum;
    }
}

/// <summary>One group adds up what the rows of a loss came to.</summary>
internal static class LossSums<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<LossSumArgs<T>> Kernel = new($"loss_sums {KernelNames.Of<T>()}", Add);

    private static void Add(LossSumArgs<T> a)
    {
        double sum = 0;
        for (long i = Group.IdxX; i < a.Count; i += Group.DimX) sum += a.Sums[i];
        sum = RowReduction.Sum(sum);
        if (Group.IsFirstThread) a.Loss[0] = default(T).Narrow((float)(a.Scale * sum));
    }
}
