using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>As <see cref="SoftmaxKernels{T}"/>: the sum of a line, then its gradients; dx and dy may be the same memory.</summary>
internal static class SoftmaxBackwardKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<SoftmaxKernelArgs<T>> Threads = new($"softmax_bwd_threads {KernelNames.Of<T>()}", ByThread);

    public static readonly KernelSource<SoftmaxKernelArgs<T>> Warps = new($"softmax_bwd_warps {KernelNames.Of<T>()}", ByWarp);

    public static readonly KernelSource<SoftmaxKernelArgs<T>> Groups = new($"softmax_bwd_groups {KernelNames.Of<T>()}", ByGroup);

    private static void ByThread(SoftmaxKernelArgs<T> a)
    {
        var line = GridLoop.Start;
        if (line >= a.Lines) return;
        var start = a.Start(line);
        Write(a, start, 0, 1, Walk(a, start, 0, 1));
    }

    private static void ByWarp(SoftmaxKernelArgs<T> a)
    {
        var line = GridLoop.Start / Warp.WarpSize;
        // Lanes stay together: a warp behind the last line walks over nothing.
        var first = line < a.Lines ? Warp.LaneIdx : a.Length;
        var start = a.Start(line);
        var sum = Walk(a, start, first, Warp.WarpSize);
        for (var offset = Warp.WarpSize / 2; offset > 0; offset /= 2) sum += Warp.ShuffleDown(sum, offset);
        Write(a, start, first, Warp.WarpSize, Warp.Shuffle(sum, 0));
    }

    private static void ByGroup(SoftmaxKernelArgs<T> a)
    {
        var start = a.Start(Grid.IdxX);
        Write(a, start, Group.IdxX, Group.DimX, RowReduction.Sum(Walk(a, start, Group.IdxX, Group.DimX)));
    }

    private static float Walk(in SoftmaxKernelArgs<T> a, long start, int first, int step)
    {
        float even = 0, odd = 0;
        var i = first;
        for (; i + step < a.Length; i += 2 * step)
        {
            even += Term(a, start + (long)i * a.Inner);
            odd += Term(a, start + (long)(i + step) * a.Inner);
        }
        if (i < a.Length) even += Term(a, start + (long)i * a.Inner);
        return even + odd;
    }

    private static float Term(in SoftmaxKernelArgs<T> a, long at) =>
        a.Log != 0 ? a.DY[at].Widen() : a.DY[at].Widen() * a.Y[at].Widen();

    private static void Write(in SoftmaxKernelArgs<T> a, long start, int first, int step, float sum)
    {
        for (var i = first; i < a.Length; i += step)
        {
            var at = start + (long)i * a.Inner;
            float y = a.Y[at].Widen(), dy = a.DY[at].Widen();
            a.X[at] = default(T).Narrow(a.Log != 0 ? dy - DeviceMath.Exp(y) * sum : y * (dy - sum));
        }
    }
}
