using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>
/// The recursion of the betas runs frame after frame, a group to a sample; what they mean for the gradient is worked out for
/// all frames at once.
/// </summary>
internal static class CtcBackwardKernels<T>
    where T : unmanaged, IElement<T>
{
    /// <summary>Beta of every frame and state, less the largest of its frame.</summary>
    public static readonly KernelSource<CtcKernelArgs<T>> Betas = new($"ctc_loss_bwd_betas {KernelNames.Of<T>()}", OfSample);

    /// <summary>dx of every frame, a group to each; overwrites its betas by posteriors.</summary>
    public static readonly KernelSource<CtcKernelArgs<T>> Slopes = new($"ctc_loss_bwd {KernelNames.Of<T>()}", OfFrame);

    private static void OfSample(CtcKernelArgs<T> a)
    {
        var b = Grid.IdxX;
        int frames = a.InputLengths[b], labels = a.TargetLengths[b];
        if (!IsPossible(a, b, frames, labels)) return;
        var states = 2 * labels + 1;
        for (var t = frames - 1; t >= 0; t--)
        {
            var now = ((long)b * a.Time + t) * a.Width;
            var largest = float.NegativeInfinity;
            for (var s = Group.IdxX; s < states; s += Group.DimX)
            {
                float value;
                if (t == frames - 1)
                {
                    value = s >= states - 2 ? 0 : float.NegativeInfinity;
                }
                else
                {
                    value = CtcKernels.LogSum(
                        After(a, b, t + 1, s), s + 1 < states ? After(a, b, t + 1, s + 1) : float.NegativeInfinity,
                        s + 2 < states && a.MaySkip(b, s + 2) ? After(a, b, t + 1, s + 2) : float.NegativeInfinity);
                }
                a.Beta[now + s] = value;
                largest = DeviceMath.Max(largest, value);
            }
            largest = RowReduction.Max(largest);
            if (largest != float.NegativeInfinity)
                for (var s = Group.IdxX; s < states; s += Group.DimX) a.Beta[now + s] -= largest;
            Group.Barrier();
        }
    }

    private static void OfFrame(CtcKernelArgs<T> a)
    {
        int t = Grid.IdxX, b = Grid.IdxY;
        int frames = a.InputLengths[b], labels = a.TargetLengths[b];
        var row = ((long)b * a.Time + t) * a.Classes;
        if (t >= frames || !IsPossible(a, b, frames, labels))
        {
            var value = t < frames && a.ZeroInfinity == 0 ? float.NaN : 0;
            for (var c = Group.IdxX; c < a.Classes; c += Group.DimX) a.DX[row + c] = default(T).Narrow(value);
            return;
        }
        var states = 2 * labels + 1;
        var at = ((long)b * a.Time + t) * a.Width;
        var largest = float.NegativeInfinity;
        for (var s = Group.IdxX; s < states; s += Group.DimX)
            largest = DeviceMath.Max(largest, a.Alpha[at + s] + a.Beta[at + s]);
        largest = RowReduction.Max(largest);
        float total = 0, blanks = 0;
        for (var s = Group.IdxX; s < states; s += Group.DimX)
        {
            var share = DeviceMath.Exp(a.Alpha[at + s] + a.Beta[at + s] - largest);
            a.Beta[at + s] = share;
            total += share;
            if ((s & 1) == 0) blanks += share;
        }
        // The barriers of the sum also make the shares known to the group.
        RowReduction.Sum(ref total, ref blanks);
        var dLoss = DLoss(a, b, labels);
        for (var c = Group.IdxX; c < a.Classes; c += Group.DimX)
        {
            var posterior = c == a.Blank ? blanks : 0;
            for (var i = 0; i < labels; i++)
                if (a.Targets[(long)b * a.MaxTarget + i] == c) posterior += a.Beta[at + 2 * i + 1];
            a.DX[row + c] = default(T).Narrow(dLoss * (DeviceMath.Exp(a.X[row + c].Widen()) - posterior / total));
        }
    }

    private static float DLoss(in CtcKernelArgs<T> a, int b, int labels)
    {
        if (a.Reduction == Reduction.None || a.Reduction == Reduction.PerRow) return a.Loss[b].Widen();
        var dLoss = a.Loss[0].Widen();
        return a.Reduction == Reduction.Sum ? dLoss : dLoss / a.Batch / (labels > 1 ? labels : 1);
    }

    /// <summary>What a state passes on to those before it: its beta and what it emits.</summary>
    private static float After(in CtcKernelArgs<T> a, int b, int t, int s) =>
        a.Beta[((long)b * a.Time + t) * a.Width + s] + a.Emission(b, t, s);

    /// <summary>False for impossible targets, and for lengths that the forward call has noted as faults.</summary>
    private static bool IsPossible(in CtcKernelArgs<T> a, int b, int frames, int labels) =>
        frames >= 0 && frames <= a.Time && labels >= 0 && labels <= a.MaxTarget && a.SampleLoss[b] != float.PositiveInfinity;
}
