using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void CtcLoss(in CtcLossArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("CtcLoss", a.X.DType);

        void Run<T>(in CtcLossArgs a)
            where T : unmanaged, IElement<T>
        {
            var args = new CtcKernelArgs<T>
            {
                X = View<T>(a.X), Targets = View<int>(a.Targets), InputLengths = View<int>(a.InputLengths),
                TargetLengths = View<int>(a.TargetLengths), Loss = View<T>(a.Loss), SampleLoss = View<float>(a.SampleLoss),
                Alpha = View<float>(a.Alpha), Fault = Faults, Batch = a.Batch, Time = a.Time, Classes = a.Classes,
                MaxTarget = a.MaxTarget, Blank = a.Blank, ZeroInfinity = a.ZeroInfinity ? 1 : 0, Reduction = a.Reduction,
            };
            Launch(CtcKernels<T>.Forward, new Index3D(a.Batch, 1, 1), GroupSize(args.Width), args);
            Launch(CtcKernels<T>.Finish, new Index3D(1, 1, 1), GroupSize(a.Batch), args);
        }
    }

    /// <inheritdoc/>
    public void CtcLossBackward(in CtcLossBackwardArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("CtcLossBackward", a.X.DType);

        void Run<T>(in CtcLossBackwardArgs a)
            where T : unmanaged, IElement<T>
        {
            var beta = pool.Allocate((long)a.Batch * a.Time * (2 * a.MaxTarget + 1) * sizeof(float));
            var args = new CtcKernelArgs<T>
            {
                X = View<T>(a.X), Targets = View<int>(a.Targets), InputLengths = View<int>(a.InputLengths),
                TargetLengths = View<int>(a.TargetLengths), Loss = View<T>(a.DLoss), SampleLoss = View<float>(a.SampleLoss),
                Alpha = View<float>(a.Alpha), Beta = View<float>(new BufferView(beta, 0, DType.Float32)), DX = View<T>(a.DX),
                Batch = a.Batch, Time = a.Time, Classes = a.Classes, MaxTarget = a.MaxTarget, Blank = a.Blank,
                ZeroInfinity = a.ZeroInfinity ? 1 : 0, Reduction = a.Reduction,
            };
            Launch(CtcBackwardKernels<T>.Betas, new Index3D(a.Batch, 1, 1), GroupSize(args.Width), args);
            var threads = GroupSize(Math.Max(args.Width, a.Classes));
            Launch(CtcBackwardKernels<T>.Slopes, new Index3D(a.Time, a.Batch, 1), threads, args);
            pool.Free(beta);
        }
    }
}

/// <summary>
/// Operands as in <see cref="CtcLossArgs"/>; in backward the loss is its gradient, and beta [Batch, Time, 2 MaxTarget + 1] is
/// scratch.
/// </summary>
internal struct CtcKernelArgs<T>
    where T : unmanaged, IElement<T>
{
    public ArrayView<T> X, Loss, DX;
    public ArrayView<int> Targets, InputLengths, TargetLengths;
    public ArrayView<float> SampleLoss, Alpha, Beta;
    public ArrayView<Fault> Fault;
    public int Batch, Time, Classes, MaxTarget, Blank, ZeroInfinity;
    public Reduction Reduction;

    /// <summary>States of a frame in memory.</summary>
    public readonly int Width => 2 * MaxTarget + 1;

    /// <summary>Class of a state: blanks around every label.</summary>
    public readonly int ClassOf(int sample, int state) =>
        (state & 1) == 0 ? Blank : Targets[(long)sample * MaxTarget + (state >> 1)];

    /// <summary>State s may follow state s - 2: a label that is not the one before it.</summary>
    public readonly bool MaySkip(int sample, int state)
    {
        if (state < 3 || (state & 1) == 0) return false;
        var label = ClassOf(sample, state);
        return label != Blank && label != ClassOf(sample, state - 2);
    }

    /// <summary>Log-probability of the class of a state at a frame.</summary>
    public readonly float Emission(int sample, int frame, int state)
    {
        var label = ClassOf(sample, state);
        // What is no class was noted by the forward call; it must not be read here.
        if (label < 0 || label >= Classes) return float.NegativeInfinity;
        return X[((long)sample * Time + frame) * Classes + label].Widen();
    }
}

internal static class CtcKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        CtcKernels<Full>.Forward, CtcKernels<Full>.Finish, CtcBackwardKernels<Full>.Betas, CtcBackwardKernels<Full>.Slopes,
        CtcKernels<Brain>.Forward, CtcKernels<Brain>.Finish, CtcBackwardKernels<Brain>.Betas, CtcBackwardKernels<Brain>.Slopes,
    ];

    /// <summary>log(e^a + e^b + e^c); -infinity when all three are.</summary>
    public static float LogSum(float a, float b, float c)
    {
        var largest = DeviceMath.Max(a, DeviceMath.Max(b, c));
        if (largest == float.NegativeInfinity) return largest;
        return largest + DeviceMath.Log(
            DeviceMath.Exp(a - largest) + DeviceMath.Exp(b - largest) + DeviceMath.Exp(c - largest));
    }
}

/// <summary>A group takes a sample: its threads share the states of a frame, frame after frame.</summary>
internal static class CtcKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<CtcKernelArgs<T>> Forward = new($"ctc_loss_fwd {KernelNames.Of<T>()}", OfSample);

    /// <summary>One group: the reduced loss.</summary>
    public static readonly KernelSource<CtcKernelArgs<T>> Finish = new($"ctc_loss_fwd_finish {KernelNames.Of<T>()}", Reduce);

    private static void OfSample(CtcKernelArgs<T> a)
    {
        var b = Grid.IdxX;
        int frames = a.InputLengths[b], labels = a.TargetLengths[b];
        if (!Admits(a, b, frames, labels)) return;
        var states = 2 * labels + 1;
        double offset = 0;
        for (var t = 0; t < frames; t++)
        {
            var now = ((long)b * a.Time + t) * a.Width;
            var before = now - a.Width;
            // Two states a frame at most: the others cannot reach the end, or be reached.
            int first = states - 2 * (frames - t), end = 2 * t + 2;
            var largest = float.NegativeInfinity;
            for (var s = Group.IdxX; s < states; s += Group.DimX)
            {
                var value = float.NegativeInfinity;
                if (s >= first && s < end)
                {
                    value = t == 0 ? 0 : CtcKernels.LogSum(
                        a.Alpha[before + s], s > 0 ? a.Alpha[before + s - 1] : float.NegativeInfinity,
                        a.MaySkip(b, s) ? a.Alpha[before + s - 2] : float.NegativeInfinity);
                    value += a.Emission(b, t, s);
                }
                a.Alpha[now + s] = value;
                largest = DeviceMath.Max(largest, value);
            }
            largest = RowReduction.Max(largest);
            offset += largest;
            if (largest != float.NegativeInfinity)
                for (var s = Group.IdxX; s < states; s += Group.DimX) a.Alpha[now + s] -= largest;
            Group.Barrier();
        }
        if (!Group.IsFirstThread) return;
        if (frames == 0)
        {
            a.SampleLoss[b] = labels == 0 ? 0 : float.PositiveInfinity;
            return;
        }
        var last = ((long)b * a.Time + frames - 1) * a.Width + states - 1;
        var sum = DeviceMath.Exp(a.Alpha[last]) + (labels > 0 ? DeviceMath.Exp(a.Alpha[last - 1]) : 0);
        a.SampleLoss[b] = (float)-(offset + DeviceMath.Log(sum));
    }

    private static void Reduce(CtcKernelArgs<T> a)
    {
        var perSample = a.Reduction == Reduction.None || a.Reduction == Reduction.PerRow;
        double total = 0;
        for (var b = Group.IdxX; b < a.Batch; b += Group.DimX)
        {
            var loss = a.SampleLoss[b];
            if (a.ZeroInfinity != 0 && loss == float.PositiveInfinity) loss = 0;
            if (perSample) a.Loss[b] = default(T).Narrow(loss);
            var labels = a.TargetLengths[b];
            total += a.Reduction == Reduction.Mean && labels > 1 ? (double)loss / labels : loss;
        }
        total = RowReduction.Sum(total);
        if (!Group.IsFirstThread || perSample) return;
        a.Loss[0] = default(T).Narrow((float)(a.Reduction == Reduction.Mean ? total / a.Batch : total));
    }

    /// <summary>Notes lengths and labels that reach outside the operands; the same answer for every thread.</summary>
    private static bool Admits(in CtcKernelArgs<T> a, int b, int frames, int labels)
    {
        if (!Fault.Admits(a.Fault, IndexedOp.CtcFrames, frames, b, a.Time + 1L)) return false;
        if (!Fault.Admits(a.Fault, IndexedOp.CtcLabels, labels, b, a.MaxTarget + 1L)) return false;
        var wrong = 0f;
        for (var i = Group.IdxX; i < labels; i += Group.DimX)
            if (!Fault.Admits(a.Fault, IndexedOp.CtcLabel, a.Targets[(long)b * a.MaxTarget + i], b, a.Classes)) wrong = 1;
        return RowReduction.Sum(wrong) == 0;
    }
}
