using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>
/// Operands as in <see cref="ReduceArgs"/>; Y or Places is written. With several Parts the first stage writes part p of
/// output k to Partial[k * Parts + p].
/// </summary>
internal struct ReduceKernelArgs<T>
    where T : unmanaged
{
    public ReduceOp Op;
    public int Parts, Accumulate;
    public float Correction;
    public ArrayView<T> X, Y;
    public ArrayView<long> Places;
    public ArrayView<ReduceState> Partial;
    public DeviceLayout Kept, Reduced;
    public long KeptCount, ReducedCount, PartLength;
}

internal static class ReduceKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        .. Of<Full, PlainSum>(), .. Of<Full, Extreme>(), .. Of<Full, ExponentialSum>(), .. Of<Full, Moments>(),
        .. Of<Brain, PlainSum>(), .. Of<Brain, Extreme>(), .. Of<Brain, ExponentialSum>(), .. Of<Brain, Moments>(),
    ];

    private static IEnumerable<KernelSource> Of<T, TReduction>()
        where T : unmanaged, IElement<T>
        where TReduction : unmanaged, IReduction =>
    [
        ReduceKernels<T, TReduction>.Threads, ReduceKernels<T, TReduction>.Warps, ReduceKernels<T, TReduction>.Groups,
        ReduceKernels<T, TReduction>.Merge,
    ];
}

/// <summary>
/// First stage: a thread, a warp or a group for each output element, or for each part of it. Second stage: a warp for each
/// output element, over its parts.
/// </summary>
internal static class ReduceKernels<T, TReduction>
    where T : unmanaged, IElement<T>
    where TReduction : unmanaged, IReduction
{
    public static readonly KernelSource<ReduceKernelArgs<T>> Threads = new(Name("threads"), ByThread);

    public static readonly KernelSource<ReduceKernelArgs<T>> Warps = new(Name("warps"), ByWarp);

    public static readonly KernelSource<ReduceKernelArgs<T>> Groups = new(Name("groups"), ByGroup);

    public static readonly KernelSource<ReduceKernelArgs<T>> Merge = new(Name("merge"), MergeParts);

    private static string Name(string who) => $"reduce_fwd_{default(TReduction).Name}_{who} {KernelNames.Of<T>()}";

    private static void ByThread(ReduceKernelArgs<T> a)
    {
        var k = GridLoop.Start;
        if (k >= a.KeptCount) return;
        var part = Grid.IdxY;
        var state = Walk(a, k, part, 0, 1);
        Put(a, k, part, state);
    }

    private static void ByWarp(ReduceKernelArgs<T> a)
    {
        var k = GridLoop.Start / Warp.WarpSize;
        // Lanes stay together: a warp behind the last output walks over nothing.
        var state = k < a.KeptCount ? Walk(a, k, 0, Warp.LaneIdx, Warp.WarpSize) : default(TReduction).Nothing();
        state = StateReduction<TReduction>.OverWarp(state);
        if (Warp.IsFirstLane && k < a.KeptCount) Put(a, k, 0, state);
    }

    private static void ByGroup(ReduceKernelArgs<T> a)
    {
        GridLoop.Split(Grid.IdxX, a.Parts, out var k, out var part);
        var state = Walk(a, k, (int)part, Group.IdxX, Group.DimX);
        state = StateReduction<TReduction>.OverGroup(state);
        if (Group.IsFirstThread) Put(a, k, (int)part, state);
    }

    private static void MergeParts(ReduceKernelArgs<T> a)
    {
        var k = GridLoop.Start / Warp.WarpSize;
        var state = default(TReduction).Nothing();
        if (k < a.KeptCount)
        {
            for (var p = Warp.LaneIdx; p < a.Parts; p += Warp.WarpSize)
                state = default(TReduction).Merge(state, a.Partial[k * a.Parts + p]);
        }
        state = StateReduction<TReduction>.OverWarp(state);
        if (Warp.IsFirstLane && k < a.KeptCount) Finish(a, k, state);
    }

    /// <summary>Every step-th element of a part, beginning with the one of this thread.</summary>
    private static ReduceState Walk(in ReduceKernelArgs<T> a, long k, int part, int first, int step)
    {
        a.Kept.Offsets(k, out var start, out _, out _);
        var r = part * a.PartLength;
        var end = r + a.PartLength;
        if (end > a.ReducedCount) end = a.ReducedCount;
        r += first;
        var state = default(TReduction).Nothing();
        // Four loads are under way at a time.
        for (; r + 3 * step < end; r += 4 * step)
        {
            var x0 = At(a, start, r);
            var x1 = At(a, start, r + step);
            var x2 = At(a, start, r + 2 * step);
            var x3 = At(a, start, r + 3 * step);
            state = default(TReduction).Take(a.Op, state, x0, r);
            state = default(TReduction).Take(a.Op, state, x1, r + step);
            state = default(TReduction).Take(a.Op, state, x2, r + 2 * step);
            state = default(TReduction).Take(a.Op, state, x3, r + 3 * step);
        }
        for (; r < end; r += step) state = default(TReduction).Take(a.Op, state, At(a, start, r), r);
        return state;
    }

    private static float At(in ReduceKernelArgs<T> a, long start, long r)
    {
        a.Reduced.Offsets(r, out var offset, out _, out _);
        return a.X[start + offset].Widen();
    }

    private static void Put(in ReduceKernelArgs<T> a, long k, int part, ReduceState state)
    {
        if (a.Parts > 1) a.Partial[k * a.Parts + part] = state;
        else Finish(a, k, state);
    }

    private static void Finish(in ReduceKernelArgs<T> a, long k, ReduceState state)
    {
        if (a.Op == ReduceOp.ArgMax || a.Op == ReduceOp.ArgMin)
        {
            a.Places[k] = state.N;
            return;
        }
        var value = default(TReduction).Result(a.Op, state, a.ReducedCount, a.Correction);
        a.Y[k] = default(T).Narrow(a.Accumulate != 0 ? a.Y[k].Widen() + value : value);
    }
}
