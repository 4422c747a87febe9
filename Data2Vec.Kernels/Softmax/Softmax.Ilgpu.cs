using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <summary>Lines up to this long are taken by a warp, longer ones by a group.</summary>
    private const int WarpLine = 1024;

    /// <inheritdoc/>
    public void Softmax(in SoftmaxArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("Softmax", a.X.DType);

        void Run<T>(in SoftmaxArgs a)
            where T : unmanaged, IElement<T> => LaunchLines(
                SoftmaxKernels<T>.Threads, SoftmaxKernels<T>.Warps, SoftmaxKernels<T>.Groups, new SoftmaxKernelArgs<T>
                {
                    X = View<T>(a.X), Y = View<T>(a.Y), Lines = a.Outer * a.Inner, Length = a.Length, Inner = (int)a.Inner,
                    Log = a.Log ? 1 : 0,
                });
    }

    /// <inheritdoc/>
    public void SoftmaxBackward(in SoftmaxBackwardArgs a)
    {
        if (a.Y.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.Y.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("SoftmaxBackward", a.Y.DType);

        void Run<T>(in SoftmaxBackwardArgs a)
            where T : unmanaged, IElement<T> => LaunchLines(
                SoftmaxBackwardKernels<T>.Threads, SoftmaxBackwardKernels<T>.Warps, SoftmaxBackwardKernels<T>.Groups,
                new SoftmaxKernelArgs<T>
                {
                    Y = View<T>(a.Y), DY = View<T>(a.DY), X = View<T>(a.DX), Lines = a.Outer * a.Inner, Length = a.Length,
                    Inner = (int)a.Inner, Log = a.Log ? 1 : 0,
                });
    }

    private void LaunchLines<T>(
        KernelSource<SoftmaxKernelArgs<T>> byThread, KernelSource<SoftmaxKernelArgs<T>> byWarp,
        KernelSource<SoftmaxKernelArgs<T>> byGroup, in SoftmaxKernelArgs<T> args)
        where T : unmanaged
    {
        if (args.Length == 0) return;
        // Side by side, lines are read best by a thread each; where they are few and long, there would be too few threads.
        if ((args.Inner > 1 && (args.Length < WarpLine || args.Lines >= 16384)) || args.Length < 8)
        {
            var threads = GroupSize(args.Lines);
            Launch(byThread, new((int)((args.Lines + threads - 1) / threads), 1, 1), threads, args);
        }
        else if (args.Length <= WarpLine)
        {
            var threads = GroupSize(args.Lines * 32);
            Launch(byWarp, new((int)((args.Lines * 32 + threads - 1) / threads), 1, 1), threads, args);
        }
        else
        {
            Launch(byGroup, new((int)args.Lines, 1, 1), RowReduction.GroupSize, args);
        }
    }
}

/// <summary>
/// Lines of Length elements, Inner apart. Forward reads X and writes Y; backward reads Y and DY and writes its gradient to X.
/// </summary>
internal struct SoftmaxKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Y, DY;
    public long Lines;
    public int Length, Inner, Log;

    /// <summary>First element of a line.</summary>
    public readonly long Start(long line)
    {
        if (Inner == 1) return line * Length;
        GridLoop.Split(line, Inner, out var outer, out var inner);
        return outer * Length * Inner + inner;
    }
}

internal static class SoftmaxKernels
{
    public static IEnumerable<KernelSource> All => [.. Of<Full>(), .. Of<Brain>()];

    private static IEnumerable<KernelSource> Of<T>()
        where T : unmanaged, IElement<T> =>
    [
        SoftmaxKernels<T>.Threads, SoftmaxKernels<T>.Warps, SoftmaxKernels<T>.Groups,
        SoftmaxBackwardKernels<T>.Threads, SoftmaxBackwardKernels<T>.Warps, SoftmaxBackwardKernels<T>.Groups,
    ];
}

/// <summary>
/// Two walks over a line by a thread, a warp or a group: the largest element with the sum of exponentials, then the results.
/// Each thread reads again what it has read itself, so x and y may be the same memory.
/// </summary>
internal static class SoftmaxKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<SoftmaxKernelArgs<T>> Threads = new($"softmax_fwd_threads {KernelNames.Of<T>()}", ByThread);

    public static readonly KernelSource<SoftmaxKernelArgs<T>> Warps = new($"softmax_fwd_warps {KernelNames.Of<T>()}", ByWarp);

    public static readonly KernelSource<SoftmaxKernelArgs<T>> Groups = new($"softmax_fwd_groups {KernelNames.Of<T>()}", ByGroup);

    private static void ByThread(SoftmaxKernelArgs<T> a)
    {
        var line = GridLoop.Start;
        if (line >= a.Lines) return;
        var start = a.Start(line);
        var state = Walk(a, start, 0, 1);
        Write(a, start, 0, 1, state.A, state.B);
    }

    private static void ByWarp(SoftmaxKernelArgs<T> a)
    {
        var line = GridLoop.Start / Warp.WarpSize;
        // Lanes stay together: a warp behind the last line walks over nothing.
        var first = line < a.Lines ? Warp.LaneIdx : a.Length;
        var start = a.Start(line);
        var state = StateReduction<ExponentialSum>.OverWarp(Walk(a, start, first, Warp.WarpSize));
        Write(a, start, first, Warp.WarpSize, Warp.Shuffle(state.A, 0), Warp.Shuffle(state.B, 0));
    }

    private static void ByGroup(SoftmaxKernelArgs<T> a)
    {
        var start = a.Start(Grid.IdxX);
        var state = StateReduction<ExponentialSum>.OverGroup(Walk(a, start, Group.IdxX, Group.DimX));
        Write(a, start, Group.IdxX, Group.DimX, state.A, state.B);
    }

    private static ReduceState Walk(in SoftmaxKernelArgs<T> a, long start, int first, int step)
    {
        var state = default(ExponentialSum).Nothing();
        var i = first;
        // Four loads are under way at a time.
        for (; i + 3 * step < a.Length; i += 4 * step)
        {
            var x0 = a.X[start + (long)i * a.Inner].Widen();
            var x1 = a.X[start + (long)(i + step) * a.Inner].Widen();
            var x2 = a.X[start + (long)(i + 2 * step) * a.Inner].Widen();
            var x3 = a.X[start + (long)(i + 3 * step) * a.Inner].Widen();
            state = default(ExponentialSum).Take(ReduceOp.LogSumExp, state, x0, 0);
            state = default(ExponentialSum).Take(ReduceOp.LogSumExp, state, x1, 0);
            state = default(ExponentialSum).Take(ReduceOp.LogSumExp, state, x2, 0);
            state = default(ExponentialSum).Take(ReduceOp.LogSumExp, state, x3, 0);
        }
        for (; i < a.Length; i += step)
            state = default(ExponentialSum).Take(ReduceOp.LogSumExp, state, a.X[start + (long)i * a.Inner].Widen(), 0);
        return state;
    }

    private static void Write(in SoftmaxKernelArgs<T> a, long start, int first, int step, float max, float sum)
    {
        // max - max: NaN when the largest is infinite, as the formula has it.
        sum += max - max;
        var log = DeviceMath.Log(sum);
        for (var i = first; i < a.Length; i += step)
        {
            var at = start + (long)i * a.Inner;
            var below = a.X[at].Widen() - max;
            a.Y[at] = default(T).Narrow(a.Log != 0 ? below - log : DeviceMath.Exp(below) / sum);
        }
    }
}
