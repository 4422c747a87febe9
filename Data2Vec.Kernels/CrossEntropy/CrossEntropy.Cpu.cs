using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void CrossEntropy(in CrossEntropyArgs a)
    {
        var perRow = a.Reduction is Reduction.None or Reduction.PerRow;
        var job = new CrossEntropyRange
        {
            X = F(a.X), Target = RowList.Of(a.Target), Weight = F(a.Weight), LogSumExp = F(a.LogSumExp),
            Loss = perRow ? F(a.Loss) : shared.Floats(a.Rows), Classes = a.Classes, Ignore = a.IgnoreIndex,
            Smoothing = a.Smoothing,
        };
        ForRanges(ref job, a.Rows, RowsPerChunk(a.Classes));
        double total = 0, weights = 0;
        for (long r = 0; r < a.Rows; r++)
        {
            var target = job.Target[r];
            if (target == a.IgnoreIndex) continue;
            total += job.Loss[r];
            weights += job.Weight is null ? 1 : job.Weight[target];
        }
        *F(a.TotalWeight) = (float)weights;
        if (!perRow) *F(a.Loss) = (float)(a.Reduction == Reduction.Sum ? total : total / weights);
    }

    public void CrossEntropyBackward(in CrossEntropyBackwardArgs a)
    {
        var perRow = a.Reduction is Reduction.None or Reduction.PerRow;
        double all = a.Classes;
        if (!a.Weight.IsNone)
        {
            all = 0;
            for (var c = 0; c < a.Classes; c++) all += F(a.Weight)[c];
        }
        var job = new CrossEntropyRange
        {
            X = F(a.X), Target = RowList.Of(a.Target), Weight = F(a.Weight), LogSumExp = F(a.LogSumExp),
            Loss = perRow ? F(a.DLoss) : null, DX = F(a.DX), Classes = a.Classes, Ignore = a.IgnoreIndex,
            Smoothing = a.Smoothing, AllWeights = all,
            Factor = perRow ? 1 : *F(a.DLoss) / (a.Reduction == Reduction.Mean ? *F(a.TotalWeight) : 1),
        };
        ForRanges(ref job, a.Rows, RowsPerChunk(a.Classes));
    }

    private struct CrossEntropyRange : IRange
    {
        public float* X, Weight, LogSumExp, Loss, DX;
        public RowList Target;
        public int Classes;
        public long Ignore;
        public double Smoothing, AllWeights, Factor;

        public readonly void Run(long start, long end, int worker)
        {
            for (var r = start; r < end; r++)
            {
                var x = X + r * Classes;
                if (DX is null) Forward(r, x);
                else Backward(r, x, DX + r * Classes);
            }
        }

        private readonly void Forward(long r, float* x)
        {
            var max = float.NegativeInfinity;
            for (var c = 0; c < Classes; c++) max = MathF.Max(max, x[c]);
            var lanes = T.Broadcast(0);
            var i = 0;
            for (; i + T.Width <= Classes; i += T.Width) lanes += LaneMath<T>.Exp(T.Load(x + i) - T.Broadcast(max));
            double sum = T.Sum(lanes);
            for (; i < Classes; i++) sum += Math.Exp(x[i] - max);
            var lse = float.IsInfinity(max) ? max : max + Math.Log(sum);
            LogSumExp[r] = (float)lse;
            var target = Target[r];
            Loss[r] = 0;
            if (target == Ignore) return;
            RowIndex.Checked("CrossEntropy", target, r, Classes);
            var loss = (1 - Smoothing) * (Weight is null ? 1 : Weight[target]) * (lse - x[target]);
            if (Smoothing > 0)
                for (var c = 0; c < Classes; c++)
                    loss += Smoothing / Classes * (Weight is null ? 1 : Weight[c]) * (lse - x[c]);
            Loss[r] = (float)loss;
        }

        private readonly void Backward(long r, float* x, float* dx)
        {
            var target = Target[r];
            if (target == Ignore)
            {
                new Span<float>(dx, Classes).Clear();
                return;
            }
            var factor = (Loss is null ? 1 : Loss[r]) * Factor;
            var wt = Weight is null ? 1.0 : Weight[target];
            var hard = factor * (1 - Smoothing) * wt;
            var smooth = factor * Smoothing / Classes;
            var lse = LogSumExp[r];
            for (var c = 0; c < Classes; c++)
            {
                var p = Math.Exp(x[c] - lse);
                var w = Weight is null ? 1.0 : Weight[c];
                dx[c] = (float)(hard * (p - (c == target ? 1 : 0)) + smooth * (p * AllWeights - w));
            }
        }
    }
}
