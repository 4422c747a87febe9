using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void CrossEntropy(in CrossEntropyArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("CrossEntropy", a.X.DType);

        void Run<T>(in CrossEntropyArgs a)
            where T : unmanaged, IElement<T>
        {
            var perRow = a.Reduction is Reduction.None or Reduction.PerRow;
            var sums = pool.Allocate(a.Rows * sizeof(float));
            var args = new CrossEntropyKernelArgs<T>
            {
                X = View<T>(a.X), Target = DeviceIndices.Of(a.Target), Weight = View<T>(a.Weight), Loss = View<T>(a.Loss),
                LogSumExp = View<float>(a.LogSumExp), TotalWeight = View<float>(a.TotalWeight), Fault = Faults,
                Sums = View<float>(new BufferView(sums, 0, DType.Float32)), Rows = a.Rows, Classes = a.Classes,
                Ignore = a.IgnoreIndex, Smoothing = (float)a.Smoothing, Hard = (float)(1 - a.Smoothing), Reduction = a.Reduction,
                PerRow = perRow ? 1 : 0,
            };
            Launch(CrossEntropyKernels<T>.Forward, new Index3D((int)a.Rows, 1, 1), GroupSize(a.Classes), args);
            Launch(CrossEntropyKernels<T>.Finish, new Index3D(1, 1, 1), GroupSize(a.Rows), args);
            pool.Free(sums);
        }
    }

    /// <inheritdoc/>
    public void CrossEntropyBackward(in CrossEntropyBackwardArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("CrossEntropyBackward", a.X.DType);

        void Run<T>(in CrossEntropyBackwardArgs a)
            where T : unmanaged, IElement<T>
        {
            var args = new CrossEntropyKernelArgs<T>
            {
                X = View<T>(a.X), Target = DeviceIndices.Of(a.Target), Weight = View<T>(a.Weight), Loss = View<T>(a.DLoss),
                LogSumExp = View<float>(a.LogSumExp), TotalWeight = View<float>(a.TotalWeight), DX = View<T>(a.DX),
                Rows = a.Rows, Classes = a.Classes, Ignore = a.IgnoreIndex, Smoothing = (float)a.Smoothing,
                Hard = (float)(1 - a.Smoothing), Reduction = a.Reduction,
                PerRow = a.Reduction is Reduction.None or Reduction.PerRow ? 1 : 0,
            };
            Launch(CrossEntropyKernels<T>.Backward, new Index3D((int)a.Rows, 1, 1), GroupSize(a.Classes), args);
        }
    }
}

/// <summary>Operands as in <see cref="CrossEntropyArgs"/>; in backward the loss is its gradient.</summary>
internal struct CrossEntropyKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Weight, Loss, DX;
    public ArrayView<float> LogSumExp, TotalWeight, Sums;
    public ArrayView<Fault> Fault;
    public DeviceIndices Target;
    public long Rows, Ignore;
    public int Classes, PerRow;
    public Reduction Reduction;
    public float Smoothing, Hard;
}

internal static class CrossEntropyKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        CrossEntropyKernels<Full>.Forward, CrossEntropyKernels<Full>.Finish, CrossEntropyKernels<Full>.Backward,
        CrossEntropyKernels<Brain>.Forward, CrossEntropyKernels<Brain>.Finish, CrossEntropyKernels<Brain>.Backward,
    ];
}

/// <summary>A group takes a row; what it reads a second time comes from the cache.</summary>
internal static class CrossEntropyKernels<T>
    where T : unmanaged, IElement<T>
{
    /// <summary>Loss and log-sum-exp of every row.</summary>
    public static readonly KernelSource<CrossEntropyKernelArgs<T>> Forward = new(
        $"cross_entropy_fwd {KernelNames.Of<T>()}", OfRow);

    /// <summary>One group: the total weight, and the reduced loss.</summary>
    public static readonly KernelSource<CrossEntropyKernelArgs<T>> Finish = new(
        $"cross_entropy_fwd_finish {KernelNames.Of<T>()}", Reduce);

    public static readonly KernelSource<CrossEntropyKernelArgs<T>> Backward = new(
        $"cross_entropy_bwd {KernelNames.Of<T>()}", SlopesOfRow);

    private static void OfRow(CrossEntropyKernelArgs<T> a)
    {
        var r = (long)Grid.IdxX;
        var row = r * a.Classes;
        var max = float.NegativeInfinity;
        for (var c = Group.IdxX; c < a.Classes; c += Group.DimX) max = DeviceMath.Max(max, a.X[row + c].Widen());
        max = RowReduction.Max(max);
        // Distances are taken from the largest logit, not from the log-sum-exp, which may have lost its last digits.
        float sum = 0, distances = 0, weights = 0;
        for (var c = Group.IdxX; c < a.Classes; c += Group.DimX)
        {
            var x = a.X[row + c].Widen();
            sum += DeviceMath.Exp(x - max);
            if (!(a.Smoothing > 0)) continue;
            var w = WeightOf(a, c);
            distances += w * (max - x);
            weights += w;
        }
        sum = RowReduction.Sum(sum);
        if (a.Smoothing > 0) RowReduction.Sum(ref distances, ref weights);
        if (!Group.IsFirstThread) return;
        var log = DeviceMath.IsFinite(max) ? DeviceMath.Log(sum) : 0;
        a.LogSumExp[r] = max + log;
        var target = a.Target[r];
        var loss = 0f;
        if (target != a.Ignore && Fault.Admits(a.Fault, IndexedOp.CrossEntropy, target, r, a.Classes))
        {
            loss = a.Hard * WeightOf(a, target) * (log + (max - a.X[row + target].Widen()));
            if (a.Smoothing > 0) loss += a.Smoothing / a.Classes * (distances + log * weights);
        }
        a.Sums[r] = loss;
        if (a.PerRow != 0) a.Loss[r] = default(T).Narrow(loss);
    }

    private static void Reduce(CrossEntropyKernelArgs<T> a)
    {
        double total = 0, weights = 0;
        for (long r = Group.IdxX; r < a.Rows; r += Group.DimX)
        {
            var target = a.Target[r];
            if (target == a.Ignore || target < 0 || target >= a.Classes) continue;
            total += a.Sums[r];
            weights += WeightOf(a, target);
        }
        total = RowReduction.Sum(total);
        weights = RowReduction.Sum(weights);
        if (!Group.IsFirstThread) return;
        a.TotalWeight[0] = (float)weights;
        if (a.PerRow == 0) a.Loss[0] = default(T).Narrow((float)(a.Reduction == Reduction.Sum ? total : total / weights));
    }

    private static void SlopesOfRow(CrossEntropyKernelArgs<T> a)
    {
        var r = (long)Grid.IdxX;
        var row = r * a.Classes;
        var target = a.Target[r];
        if (target < 0 || target >= a.Classes || target == a.Ignore)
        {
            for (var c = Group.IdxX; c < a.Classes; c += Group.DimX) a.DX[row + c] = default(T).Narrow(0);
            return;
        }
        float all = a.Classes;
        if (a.Smoothing > 0 && a.Weight.Length != 0)
        {
            all = 0;
            for (var c = Group.IdxX; c < a.Classes; c += Group.DimX) all += a.Weight[c].Widen();
            all = RowReduction.Sum(all);
        }
        var factor = a.Loss[a.PerRow != 0 ? r : 0].Widen();
        if (a.Reduction == Reduction.Mean) factor /= a.TotalWeight[0];
        var hard = factor * a.Hard * WeightOf(a, target);
        var smooth = factor * a.Smoothing / a.Classes;
        var lse = a.LogSumExp[r];
        for (var c = Group.IdxX; c < a.Classes; c += Group.DimX)
        {
            var p = DeviceMath.Exp(a.X[row + c].Widen() - lse);
            var dx = hard * (c == target ? p - 1 : p);
            if (a.Smoothing > 0) dx += smooth * (p * all - WeightOf(a, c));
            a.DX[row + c] = default(T).Narrow(dx);
        }
    }

    private static float WeightOf(in CrossEntropyKernelArgs<T> a, long c) => a.Weight.Length == 0 ? 1 : a.Weight[c].Widen();
}
