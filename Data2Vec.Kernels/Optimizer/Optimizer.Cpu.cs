namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    /// <summary>Elements of one chunk of a flat pass.</summary>
    private const int FlatChunk = 32 * 1024;

    public void GradientNorm(in GradientNormArgs a)
    {
        var segments = HostTransfer.Address<Segment>(a.Segments);
        double total = 0;
        for (var s = 0; s < a.SegmentCount; s++)
        {
            if (segments[s].HasGradient == 0) continue;
            var chunks = (segments[s].Length + FlatChunk - 1) / FlatChunk;
            var job = new SquareRange
            {
                X = F(a.Gradients) + segments[s].Offset, Partial = (double*)shared.Floats(2 * chunks),
            };
            ForRanges(ref job, segments[s].Length, FlatChunk);
            for (long i = 0; i < chunks; i++) total += job.Partial[i];
        }
        GradientClip.Finish(HostTransfer.Address<StepValues>(a.Step), Math.Sqrt(total));
    }

    public void Adam(in AdamArgs a)
    {
        var segments = HostTransfer.Address<Segment>(a.Segments);
        if (HostTransfer.Address<StepValues>(a.Step)->NonFinite != 0) return;
        for (var s = 0; s < a.SegmentCount; s++)
        {
            if (segments[s].HasGradient == 0) continue;
            var job = new UpdateRange { Updates = true, Adam = UpdateOf(a, s) };
            ForRanges(ref job, segments[s].Length, FlatChunk);
        }
    }

    public void Ema(in EmaArgs a)
    {
        var segments = HostTransfer.Address<Segment>(a.Segments);
        if (HostTransfer.Address<StepValues>(a.Step)->NonFinite != 0) return;
        for (var s = 0; s < a.SegmentCount; s++)
        {
            if (segments[s].TeacherOffset < 0) continue;
            var job = new UpdateRange { Averages = true, Ema = AverageOf(a, s) };
            ForRanges(ref job, segments[s].Length, FlatChunk);
        }
    }

    public void AdamWithEma(in AdamWithEmaArgs a)
    {
        var segments = HostTransfer.Address<Segment>(a.Adam.Segments);
        if (HostTransfer.Address<StepValues>(a.Adam.Step)->NonFinite != 0) return;
        for (var s = 0; s < a.Adam.SegmentCount; s++)
        {
            var job = new UpdateRange
            {
                Updates = segments[s].HasGradient != 0, Averages = segments[s].TeacherOffset >= 0,
            };
            if (job.Updates) job.Adam = UpdateOf(a.Adam, s);
            if (job.Averages) job.Ema = AverageOf(a.Ema, s);
            if (job.Updates || job.Averages) ForRanges(ref job, segments[s].Length, FlatChunk);
        }
    }

    /// <summary>The update of one segment, whose count advances.</summary>
    private static AdamRange UpdateOf(in AdamArgs a, int s)
    {
        var segments = HostTransfer.Address<Segment>(a.Segments);
        var step = HostTransfer.Address<StepValues>(a.Step);
        var k = ++segments[s].StepCount;
        var lr = step->LearningRate * segments[s].LearningRateScale;
        var wd = segments[s].WeightDecay * step->WeightDecayScale;
        var c1 = 1 - Math.Pow(a.Beta1, k);
        var c2 = 1 - Math.Pow(a.Beta2, k);
        var fairseq = a.Variant == AdamVariant.Fairseq;
        return new AdamRange
        {
            P = F(a.Parameters) + segments[s].Offset, G = F(a.Gradients) + segments[s].Offset,
            M = F(a.Moment1) + segments[s].Offset, V = F(a.Moment2) + segments[s].Offset,
            Factor = (float)step->GradientFactor, Beta1 = (float)a.Beta1, Beta2 = (float)a.Beta2,
            Rest1 = (float)(1 - a.Beta1), Rest2 = (float)(1 - a.Beta2),
            Coupled = a.Variant == AdamVariant.AdamL2 ? (float)wd : 0,
            Shrink = a.Variant == AdamVariant.AdamL2 ? 1 : (float)(1 - lr * wd),
            Rate = (float)(fairseq ? lr * Math.Sqrt(c2) / c1 : lr / c1),
            RootScale = fairseq ? 1 : (float)(1 / Math.Sqrt(c2)), Epsilon = (float)a.Epsilon,
            Rounded = RoundedAt(a.Rounded, segments[s].Offset),
        };
    }

    private static EmaRange AverageOf(in EmaArgs a, int s)
    {
        var segments = HostTransfer.Address<Segment>(a.Segments);
        var decay = segments[s].TeacherCopies != 0 ? 0 : HostTransfer.Address<StepValues>(a.Step)->EmaDecay;
        return new EmaRange
        {
            Student = F(a.Student) + segments[s].Offset, Teacher = F(a.Teacher) + segments[s].TeacherOffset,
            Decay = (float)decay, Rest = (float)(1 - decay), Rounded = RoundedAt(a.Rounded, segments[s].TeacherOffset),
        };
    }

    /// <summary>Where a segment begins in a rounded copy; null without one.</summary>
    private static BFloat16* RoundedAt(BufferView copy, long offset) =>
        copy.IsNone ? null : HostTransfer.Address<BFloat16>(copy) + offset;

    private static void Round(float* full, BFloat16* rounded, long start, long end)
    {
        if (rounded == null) return;
        var length = (int)(end - start);
        BFloat16.Narrow(new ReadOnlySpan<float>(full + start, length), new Span<BFloat16>(rounded + start, length));
    }

    /// <summary>
    /// Both passes, and the copies of what they write, in pieces that stay in the nearest cache. A piece is whole
    /// vectors, so that the same elements go through vectors, and the same through the loop behind them, as in two
    /// calls: the bits are the same.
    /// </summary>
    private struct UpdateRange : IRange
    {
        private const long Piece = 1024;

        public AdamRange Adam;
        public EmaRange Ema;
        public bool Updates, Averages;

        public readonly void Run(long start, long end, int worker)
        {
            for (var piece = start; piece < end; piece += Piece)
            {
                var stop = Math.Min(end, piece + Piece);
                if (Updates) Adam.Run(piece, stop);
                if (Averages) Ema.Run(piece, stop);
            }
        }
    }

    private struct SquareRange : IRange
    {
        public float* X;
        public double* Partial;

        public readonly void Run(long start, long end, int worker)
        {
            // Short float sums, added in double: the order is fixed by the chunk.
            double sum = 0;
            for (var piece = start; piece < end; piece += 1024)
            {
                var lanes = T.Broadcast(0);
                var stop = Math.Min(end, piece + 1024);
                var i = piece;
                for (; i + T.Width <= stop; i += T.Width)
                {
                    var g = T.Load(X + i);
                    lanes = T.MultiplyAdd(g, g, lanes);
                }
                sum += T.Sum(lanes);
                for (; i < stop; i++) sum += (double)X[i] * X[i];
            }
            Partial[start / FlatChunk] = sum;
        }
    }

    private struct AdamRange
    {
        public float* P, G, M, V;
        public BFloat16* Rounded;
        public float Factor, Beta1, Beta2, Rest1, Rest2, Coupled, Shrink, Rate, RootScale, Epsilon;

        public readonly void Run(long start, long end)
        {
            var i = start;
            for (; i + T.Width <= end; i += T.Width)
            {
                var p = T.Load(P + i);
                var g = T.MultiplyAdd(T.Broadcast(Coupled), p, T.Load(G + i) * T.Broadcast(Factor));
                var m = T.MultiplyAdd(T.Broadcast(Beta1), T.Load(M + i), T.Broadcast(Rest1) * g);
                var v = T.MultiplyAdd(T.Broadcast(Beta2), T.Load(V + i), T.Broadcast(Rest2) * g * g);
                T.Store(M + i, m);
                T.Store(V + i, v);
                var root = T.MultiplyAdd(T.Sqrt(v), T.Broadcast(RootScale), T.Broadcast(Epsilon));
                T.Store(P + i, p * T.Broadcast(Shrink) - T.Broadcast(Rate) * m / root);
            }
            for (; i < end; i++)
            {
                var g = Coupled * P[i] + G[i] * Factor;
                M[i] = Beta1 * M[i] + Rest1 * g;
                V[i] = Beta2 * V[i] + Rest2 * g * g;
                P[i] = P[i] * Shrink - Rate * M[i] / (MathF.Sqrt(V[i]) * RootScale + Epsilon);
            }
            Round(P, Rounded, start, end);
        }
    }

    private struct EmaRange
    {
        public float* Student, Teacher;
        public BFloat16* Rounded;
        public float Decay, Rest;

        public readonly void Run(long start, long end)
        {
            if (Decay == 0)
            {
                new ReadOnlySpan<float>(Student + start, (int)(end - start)).CopyTo(
                    new Span<float>(Teacher + start, (int)(end - start)));
            }
            else Move(start, end);
            Round(Teacher, Rounded, start, end);
        }

        private readonly void Move(long start, long end)
        {
            var i = start;
            for (; i + T.Width <= end; i += T.Width)
            {
                var moved = T.Broadcast(Rest) * T.Load(Student + i);
                T.Store(Teacher + i, T.MultiplyAdd(T.Broadcast(Decay), T.Load(Teacher + i), moved));
            }
            for (; i < end; i++) Teacher[i] = Decay * Teacher[i] + Rest * Student[i];
        }
    }
}
