namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void SmoothL1(in SmoothL1Args a)
    {
        var perRow = a.Reduction == Reduction.PerRow;
        var single = a.Reduction is Reduction.Sum or Reduction.Mean;
        var job = new SmoothL1Range
        {
            X = F(a.X), Target = F(a.Target), Rows = RowList.Of(a.Rows), HasRows = !a.Rows.IsNone, Columns = a.Columns,
            Limit = a.XRows, Beta = (float)a.Beta, Scale = (float)a.Scale,
            Elements = a.Reduction == Reduction.None ? F(a.Loss) : null,
            PerRow = perRow ? F(a.Loss) : single ? shared.Floats(a.Count) : null,
        };
        if (single) job.Scale = 1;
        ForRanges(ref job, a.Count, RowsPerChunk(a.Columns));
        if (!single) return;
        double total = 0;
        for (long i = 0; i < a.Count; i++) total += job.PerRow[i];
        *F(a.Loss) = (float)(a.Reduction == Reduction.Sum
            ? a.Scale * total
            : a.Scale * total / ((double)a.Count * a.Columns));
    }

    public void SmoothL1Backward(in SmoothL1BackwardArgs a)
    {
        var single = a.Reduction is Reduction.Sum or Reduction.Mean;
        var divisor = a.Reduction == Reduction.Mean ? (double)a.Count * a.Columns : 1;
        var job = new SmoothL1Range
        {
            X = F(a.X), Target = F(a.Target), Rows = RowList.Of(a.Rows), HasRows = !a.Rows.IsNone, Columns = a.Columns,
            Limit = a.XRows, Beta = (float)a.Beta, Backward = true,
            Scale = (float)(a.Scale / divisor * (single ? *F(a.DLoss) : 1)),
            PerRow = a.Reduction == Reduction.PerRow ? F(a.DLoss) : null,
            Elements = a.Reduction == Reduction.None ? F(a.DLoss) : null,
            DX = F(a.DX), DTarget = F(a.DTarget),
        };
        if (job.HasRows && job.DX is not null)
            Fill(new FillArgs { Y = a.DX, Count = a.XRows * a.Columns, Value = 0 });
        // Listed rows may repeat: then their gradients add, in order, on one thread.
        ForRanges(ref job, a.Count, job.HasRows ? long.MaxValue : RowsPerChunk(a.Columns));
    }

    private struct SmoothL1Range : IRange
    {
        public float* X, Target, Elements, PerRow, DX, DTarget;
        public RowList Rows;
        public bool HasRows, Backward;
        public int Columns;
        public long Limit;
        public float Beta, Scale;

        public readonly void Run(long start, long end, int worker)
        {
            for (var i = start; i < end; i++)
            {
                var row = HasRows ? RowIndex.Checked("SmoothL1", Rows[i], i, Limit) : i;
                if (Backward) Gradient(i, row);
                else Loss(i, row);
            }
        }

        private readonly void Loss(long i, long row)
        {
            float* x = X + row * Columns, y = Target + i * Columns;
            var (beta, zero) = (T.Broadcast(Beta), T.Broadcast(0));
            var lanes = zero;
            var inverse = T.Broadcast(Beta == 0 ? 0 : 0.5f / Beta);
            var c = 0;
            for (; c + T.Width <= Columns; c += T.Width)
            {
                var d = T.Abs(T.Load(x + c) - T.Load(y + c));
                var loss = Beta == 0 ? d * d : T.Select(T.Less(d, beta), d * d * inverse, d - beta * T.Broadcast(0.5f));
                if (Elements is not null) T.Store(Elements + i * Columns + c, loss * T.Broadcast(Scale));
                lanes += loss;
            }
            double sum = T.Sum(lanes);
            for (; c < Columns; c++)
            {
                var d = MathF.Abs(x[c] - y[c]);
                var loss = Beta == 0 ? d * d : d < Beta ? 0.5f * d * d / Beta : d - 0.5f * Beta;
                if (Elements is not null) Elements[i * Columns + c] = loss * Scale;
                sum += loss;
            }
            if (PerRow is not null) PerRow[i] = (float)sum * Scale;
        }

        private readonly void Gradient(long i, long row)
        {
            float* x = X + row * Columns, y = Target + i * Columns;
            var factor = Scale * (PerRow is null ? 1 : PerRow[i]);
            for (var c = 0; c < Columns; c++)
            {
                var d = x[c] - y[c];
                var slope = Beta == 0 ? 2 * d : MathF.Abs(d) < Beta ? d / Beta : float.IsNaN(d) ? d : MathF.Sign(d);
                var g = factor * (Elements is null ? 1 : Elements[i * Columns + c]) * slope;
                if (DX is not null) DX[row * Columns + c] = HasRows ? DX[row * Columns + c] + g : g;
                if (DTarget is not null) DTarget[i * Columns + c] = -g;
            }
        }
    }
}
