namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void Reduce(in ReduceArgs a)
    {
        var job = new ReduceRange { Args = a, X = F(a.X), Y = HostTransfer.Address(a.Y) };
        var reduced = a.Reduced.Count;
        // Column sums (bias gradients): the kept dimension is dense, so rows are added as vectors.
        if (a.Op is ReduceOp.Sum or ReduceOp.Mean && a.Kept.Rank == 1 && a.KeptStrides[0] == 1 && a.Reduced.Rank >= 1
            && a.Kept[0] >= T.Width)
        {
            job.Columns = true;
            ForRanges(ref job, a.Kept[0], 64);
            return;
        }
        ForRanges(ref job, a.Kept.Count, RowsPerChunk(reduced));
    }

    private struct ReduceRange : IRange
    {
        public ReduceArgs Args;
        public float* X;
        public byte* Y;
        public bool Columns;

        public readonly void Run(long start, long end, int worker)
        {
            if (Columns)
            {
                SumColumns(start, end);
                return;
            }
            for (var k = start; k < end; k++)
            {
                long at = 0, rest = k;
                for (var d = Args.Kept.Rank - 1; d >= 0; d--)
                {
                    at += rest % Args.Kept[d] * Args.KeptStrides[d];
                    rest /= Args.Kept[d];
                }
                var value = One(X + at);
                if (Args.Op is ReduceOp.ArgMax or ReduceOp.ArgMin) ((long*)Y)[k] = (long)value;
                else ((float*)Y)[k] = (float)(Args.Accumulate ? ((float*)Y)[k] + value : value);
            }
        }

        /// <summary>Sums in double, one walk per output: reductions are short or rare outside the fast path.</summary>
        private readonly double One(float* x)
        {
            var n = Args.Reduced.Count;
            double sum = 0, best = Args.Op is ReduceOp.Min or ReduceOp.ArgMin ? double.PositiveInfinity : double.NegativeInfinity;
            long place = 0;
            var wantsExtreme = Args.Op is ReduceOp.Max or ReduceOp.Min or ReduceOp.ArgMax or ReduceOp.ArgMin or ReduceOp.LogSumExp;
            var largest = Args.Op is not (ReduceOp.Min or ReduceOp.ArgMin);
            var walk = new StridedWalk(Args.Reduced);
            for (long i = 0; i < n; i++, walk.Next())
            {
                double v = x[walk.Offset(Args.ReducedStrides)];
                sum += Args.Op == ReduceOp.SumOfSquares ? v * v : v;
                if (!wantsExtreme || double.IsNaN(best)) continue;
                if (i == 0 || double.IsNaN(v) || (largest ? v > best : v < best)) (best, place) = (v, i);
            }
            switch (Args.Op)
            {
                case ReduceOp.Sum or ReduceOp.SumOfSquares: return sum;
                case ReduceOp.Mean: return sum / n;
                case ReduceOp.Max or ReduceOp.Min: return best;
                case ReduceOp.ArgMax or ReduceOp.ArgMin: return place;
                default:
                    var mean = sum / n;
                    var isVariance = Args.Op == ReduceOp.Variance;
                    if (!isVariance && double.IsInfinity(best)) return best;
                    sum = 0;
                    walk = new StridedWalk(Args.Reduced);
                    for (long i = 0; i < n; i++, walk.Next())
                    {
                        double v = x[walk.Offset(Args.ReducedStrides)];
                        sum += isVariance ? (v - mean) * (v - mean) : Math.Exp(v - best);
                    }
                    return isVariance ? sum / Math.Max(0, n - Args.Correction) : best + Math.Log(sum);
            }
        }

        private readonly void SumColumns(long start, long end)
        {
            var y = (float*)Y;
            var factor = Args.Op == ReduceOp.Mean ? 1.0f / Args.Reduced.Count : 1;
            var n = Args.Reduced.Count;
            var c = start;
            for (; c + T.Width <= end; c += T.Width)
            {
                var sum = T.Broadcast(0);
                var walk = new StridedWalk(Args.Reduced);
                for (long i = 0; i < n; i++, walk.Next()) sum += T.Load(X + c + walk.Offset(Args.ReducedStrides));
                sum *= T.Broadcast(factor);
                T.Store(y + c, Args.Accumulate ? T.Load(y + c) + sum : sum);
            }
            for (; c < end; c++)
            {
                double sum = 0;
                var walk = new StridedWalk(Args.Reduced);
                for (long i = 0; i < n; i++, walk.Next()) sum += X[c + walk.Offset(Args.ReducedStrides)];
                y[c] = (float)(sum * factor) + (Args.Accumulate ? y[c] : 0);
            }
        }
    }
}
