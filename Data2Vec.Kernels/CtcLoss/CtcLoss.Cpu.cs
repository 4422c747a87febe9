using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void CtcLoss(in CtcLossArgs a)
    {
        var job = new CtcJob(
            F(a.X), a.Targets, a.InputLengths, a.TargetLengths, a.Time, a.Classes, a.MaxTarget, a.Blank, F(a.Alpha),
            scratch)
        {
            SampleLoss = F(a.SampleLoss),
        };
        for (var b = 0; b < a.Batch; b++) job.Check(b);
        if (a.Batch > 0) pool.Run(ref job, a.Batch);
        double total = 0;
        for (var b = 0; b < a.Batch; b++)
        {
            var loss = job.SampleLoss[b];
            if (a.ZeroInfinity && float.IsPositiveInfinity(loss)) loss = 0;
            if (a.Reduction is Reduction.None or Reduction.PerRow) F(a.Loss)[b] = loss;
            total += a.Reduction == Reduction.Mean ? (double)loss / Math.Max(job.TargetLength(b), 1) : loss;
        }
        if (a.Reduction == Reduction.Sum) *F(a.Loss) = (float)total;
        if (a.Reduction == Reduction.Mean) *F(a.Loss) = (float)(total / a.Batch);
    }

    public void CtcLossBackward(in CtcLossBackwardArgs a)
    {
        var job = new CtcJob(
            F(a.X), a.Targets, a.InputLengths, a.TargetLengths, a.Time, a.Classes, a.MaxTarget, a.Blank, F(a.Alpha),
            scratch)
        {
            SampleLoss = F(a.SampleLoss), DLoss = F(a.DLoss), DX = F(a.DX), Impossible = a.ZeroInfinity ? 0 : float.NaN,
            Reduction = a.Reduction, Batch = a.Batch,
        };
        if (a.Batch > 0) pool.Run(ref job, a.Batch);
    }

    /// <summary>
    /// One sample: the recursion over its frames, all states of a frame side by side in lanes. A row of states has room
    /// on both sides that stays -infinity, so that whole vectors and the neighbours of the first and last states can be
    /// loaded and stored.
    /// </summary>
    private readonly struct CtcJob : IJob
    {
        /// <summary>
        /// Stands for -infinity as the largest of three terms, because -infinity less itself is not a number.
        /// </summary>
        private const float Lowest = -1e30f;

        private readonly float* x, alpha;
        private readonly int* targets, inputLengths, targetLengths;
        private readonly int time, classes, maxTarget, blank, width, room;
        private readonly NativeScratch[] scratch;

        public CtcJob(
            float* x, BufferView targets, BufferView inputLengths, BufferView targetLengths, int time, int classes,
            int maxTarget, int blank, float* alpha, NativeScratch[] scratch)
        {
            this.x = x;
            this.targets = HostTransfer.Address<int>(targets);
            this.inputLengths = HostTransfer.Address<int>(inputLengths);
            this.targetLengths = HostTransfer.Address<int>(targetLengths);
            this.time = time;
            this.classes = classes;
            this.maxTarget = maxTarget;
            this.blank = blank;
            this.alpha = alpha;
            this.scratch = scratch;
            width = 2 * maxTarget + 1;
            room = width + 2 * (T.Width + 2);
        }

        public float* SampleLoss { get; init; }

        public float* DLoss { get; init; }

        public float* DX { get; init; }

        public float Impossible { get; init; }

        public Reduction Reduction { get; init; }

        public int Batch { get; init; }

        public int TargetLength(int b) => targetLengths[b];

        public void Check(int b)
        {
            CtcLayout.CheckLengths(b, inputLengths[b], time, targetLengths[b], maxTarget);
            for (var i = 0; i < targetLengths[b]; i++)
                CtcLayout.CheckLabel(b, targets[(long)b * maxTarget + i], classes);
        }

        public void Execute(int chunk, int worker)
        {
            var rows = scratch[worker].Floats(5L * room);
            new Span<float>(rows, 5 * room).Fill(float.NegativeInfinity);
            rows += T.Width + 2;
            if (DX is null) Forward(chunk, rows);
            else Backward(chunk, rows);
        }

        private int Class(int b, int s) => (s & 1) == 0 ? blank : targets[(long)b * maxTarget + s / 2];

        /// <summary>0 where state s may follow state s - 2, -infinity elsewhere.</summary>
        private void Skips(int b, int states, float* skip)
        {
            for (var s = 3; s < states; s += 2)
                if (Class(b, s) != Class(b, s - 2) && Class(b, s) != blank) skip[s] = 0;
        }

        private void Emissions(int b, int t, int states, float* e)
        {
            var row = x + ((long)b * time + t) * classes;
            var labels = targets + (long)b * maxTarget;
            for (var s = 0; s < states; s += 2) e[s] = row[blank];
            for (var s = 1; s < states; s += 2) e[s] = row[labels[s / 2]];
        }

        private void Forward(int b, float* rows)
        {
            var (frames, labels) = (inputLengths[b], targetLengths[b]);
            var states = 2 * labels + 1;
            float* skip = rows, e = skip + room, before = e + room, now = before + room;
            Skips(b, states, skip);
            double offset = 0;
            for (var t = 0; t < frames; t++)
            {
                Emissions(b, t, states, e);
                // Two states a frame at most: the others cannot reach the end, or be reached.
                var first = Math.Max(0, states - 2 * (frames - t));
                var end = (int)Math.Min(states, 2L * t + 2);
                new Span<float>(now, states).Fill(float.NegativeInfinity);
                if (t == 0)
                {
                    for (var s = first; s < end; s++) now[s] = e[s];
                }
                else
                {
                    for (var s = first; s < end; s += T.Width) T.Store(now + s, T.Load(e + s) + LogSum(
                        T.Load(before + s), T.Load(before + s - 1), T.Load(before + s - 2) + T.Load(skip + s)));
                }
                offset += Shift(now, first, end);
                var bytes = states * sizeof(float);
                Buffer.MemoryCopy(now, alpha + ((long)b * time + t) * width, bytes, bytes);
                var row = before;
                before = now;
                now = row;
            }
            var last = Math.Exp(before[states - 1]) + (labels > 0 ? Math.Exp(before[states - 2]) : 0);
            SampleLoss[b] = frames > 0 ? (float)-(offset + Math.Log(last)) : labels == 0 ? 0 : float.PositiveInfinity;
        }

        private void Backward(int b, float* rows)
        {
            var (frames, labels) = (inputLengths[b], targetLengths[b]);
            var states = 2 * labels + 1;
            var dx = DX + (long)b * time * classes;
            new Span<float>(dx + (long)frames * classes, (time - frames) * classes).Clear();
            if (float.IsPositiveInfinity(SampleLoss[b]))
            {
                new Span<float>(dx, frames * classes).Fill(Impossible);
                return;
            }
            var factor = Reduction switch
            {
                Reduction.None or Reduction.PerRow => DLoss[b],
                Reduction.Sum => *DLoss,
                _ => (float)((double)*DLoss / Batch / Math.Max(labels, 1)),
            };
            float* skip = rows, e = skip + room, after = e + room, beta = after + room, share = beta + room;
            Skips(b, states, skip);
            for (var t = frames - 1; t >= 0; t--)
            {
                if (t == frames - 1)
                {
                    beta[states - 1] = 0;
                    if (labels > 0) beta[states - 2] = 0;
                }
                else
                {
                    for (var s = 0; s < states; s += T.Width) T.Store(beta + s, LogSum(
                        T.Load(after + s), T.Load(after + s + 1), T.Load(after + s + 2) + T.Load(skip + s + 2)));
                    Shift(beta, 0, states);
                }
                Posterior(alpha + ((long)b * time + t) * width, beta, share, states);
                Gradient(b, t, states, share, factor, dx + (long)t * classes);
                Emissions(b, t, states, e);
                for (var s = 0; s < states; s += T.Width) T.Store(after + s, T.Load(beta + s) + T.Load(e + s));
            }
        }

        /// <summary>exp(alpha + beta), normalised over the states.</summary>
        private static void Posterior(float* alpha, float* beta, float* share, int states)
        {
            // Behind the last state lies -infinity, whose exponential is 0.
            for (var s = 0; s < states; s += T.Width)
                T.Store(share + s, T.LoadFirst(alpha + s, Math.Min(T.Width, states - s)) + T.Load(beta + s));
            Shift(share, 0, states);
            double total = 0;
            for (var s = 0; s < states; s += T.Width)
            {
                var p = LaneMath<T>.Exp(T.Load(share + s));
                T.Store(share + s, p);
                total += T.Sum(p);
            }
            var factor = T.Broadcast((float)(1 / total));
            for (var s = 0; s < states; s += T.Width) T.Store(share + s, T.Load(share + s) * factor);
        }

        private void Gradient(int b, int t, int states, float* share, float factor, float* dx)
        {
            var row = x + ((long)b * time + t) * classes;
            new Span<float>(dx, classes).Clear();
            for (var s = 0; s < states; s++) dx[Class(b, s)] += share[s];
            var scale = T.Broadcast(factor);
            var c = 0;
            for (; c + T.Width <= classes; c += T.Width)
                T.Store(dx + c, (LaneMath<T>.Exp(T.Load(row + c)) - T.Load(dx + c)) * scale);
            var rest = classes - c;
            if (rest == 0) return;
            var difference = LaneMath<T>.Exp(T.LoadFirst(row + c, rest)) - T.LoadFirst(dx + c, rest);
            T.StoreFirst(dx + c, difference * scale, rest);
        }

        /// <summary>Takes the largest of a row away from it, and gives it; a row of -infinity stays.</summary>
        private static double Shift(float* row, int first, int end)
        {
            var lanes = T.Broadcast(float.NegativeInfinity);
            for (var s = first; s < end; s += T.Width) lanes = T.Max(lanes, T.Load(row + s));
            var largest = T.Largest(lanes);
            if (float.IsNegativeInfinity(largest)) return largest;
            lanes = T.Broadcast(largest);
            for (var s = first; s < end; s += T.Width) T.Store(row + s, T.Load(row + s) - lanes);
            return largest;
        }

        private static T LogSum(T a, T b, T c)
        {
            var largest = T.Max(T.Max(a, T.Max(b, c)), T.Broadcast(Lowest));
            var sum = LaneMath<T>.Exp(a - largest) + LaneMath<T>.Exp(b - largest) + LaneMath<T>.Exp(c - largest);
            return largest + LaneMath<T>.Log(sum);
        }
    }
}
