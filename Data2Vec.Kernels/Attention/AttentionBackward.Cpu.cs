using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void AttentionBackward(in AttentionBackwardArgs a)
    {
        var sums = !a.DBias.IsNone || !a.DSlopes.IsNone;
        var job = new AttentionBackwardJob
        {
            A = a, Q = F(a.Q), K = F(a.K), V = F(a.V), O = F(a.O), LogSumExp = F(a.LogSumExp), DO = F(a.DO), DQ = F(a.DQ),
            DK = F(a.DK), DV = F(a.DV), DBias = F(a.DBias), DSlopes = F(a.DSlopes), BatchInside = sums,
            Scores = new ScoreRow(a.KeyMask, a.Bias, a.Slopes, a.Dropout, a.Queries, a.Keys, a.Heads), Scratch = scratch,
        };
        // Gradients of bias and slopes sum over the samples: then one chunk walks them in order.
        pool.Run(ref job, sums ? a.Heads : a.Batch * a.Heads);
    }

    private struct AttentionBackwardJob : IJob
    {
        public AttentionBackwardArgs A;
        public float* Q, K, V, O, LogSumExp, DO, DQ, DK, DV, DBias, DSlopes;
        public bool BatchInside;
        public ScoreRow Scores;
        public NativeScratch[] Scratch;

        public readonly void Execute(int chunk, int worker)
        {
            if (!BatchInside)
            {
                Head(chunk / A.Heads, chunk % A.Heads, worker);
                return;
            }
            if (DBias is not null && !A.AccumulateBias)
                new Span<float>(DBias + (long)chunk * A.Queries * A.Keys, A.Queries * A.Keys).Clear();
            if (DSlopes is not null && !A.AccumulateSlopes) DSlopes[chunk] = 0;
            for (var b = 0; b < A.Batch; b++) Head(b, chunk, worker);
        }

        private readonly void Head(int b, int h, int worker)
        {
            var tile = new AttentionTile<T>(A.Keys, A.HeadSize);
            var width = tile.KeyWidth;
            var p = Scratch[worker].Floats(3 * tile.PackedKeys + 3 * tile.BlockScores + tile.BlockPanel
                + 2 * tile.BlockHead + 2 * tile.AllKeys + (long)tile.Rows * width + tile.Rows * tile.HeadWidth);
            var keysT = p;
            var valuesT = keysT + tile.PackedKeys;
            var keys = valuesT + tile.PackedKeys;
            var probability = keys + tile.PackedKeys;
            var ds = probability + tile.BlockScores;
            var dropped = ds + tile.BlockScores;
            var panel = dropped + tile.BlockScores;
            var dq = panel + Math.Max(tile.BlockPanel, (long)tile.Rows * width);
            var packedHead = dq + tile.BlockHead;
            var dk = packedHead + tile.BlockHead;
            var dv = dk + tile.AllKeys;
            var head = h * A.HeadSize;
            var k = K + (long)b * A.Keys * A.KRow + head;
            var v = V + (long)b * A.Keys * A.VRow + head;
            tile.PackColumns(k, 1, A.KRow, A.HeadSize, A.Keys, keysT);
            tile.PackColumns(v, 1, A.VRow, A.HeadSize, A.Keys, valuesT);
            tile.PackColumns(k, A.KRow, 1, A.Keys, A.HeadSize, keys);
            new Span<float>(dk, checked((int)(2 * tile.AllKeys))).Clear();
            for (var i = 0; i < A.Queries; i += tile.Rows)
            {
                var rows = Math.Min(tile.Rows, A.Queries - i);
                var q = Q + ((long)b * A.Queries + i) * A.QRow + head;
                var dO = DO + ((long)b * A.Queries + i) * A.ORow + head;
                tile.PackRows(q, A.QRow, 1, rows, A.HeadSize, (float)A.Scale, panel);
                tile.Multiply(panel, keysT, A.HeadSize, A.Keys, probability, width);
                tile.PackRows(dO, A.ORow, 1, rows, A.HeadSize, 1, panel);
                tile.Multiply(panel, valuesT, A.HeadSize, A.Keys, ds, width);
                for (var r = 0; r < rows; r++)
                    Row(b, h, i + r, probability + r * width, ds + r * width, dropped + r * width);

                if (DQ is not null)
                {
                    tile.PackRows(ds, width, 1, rows, A.Keys, (float)A.Scale, panel);
                    tile.Multiply(panel, keys, A.Keys, A.HeadSize, dq, tile.HeadWidth);
                    Store(dq, tile.HeadWidth, DQ + ((long)b * A.Queries + i) * A.QRow + head, A.QRow, rows);
                }
                if (DK is not null) AddTransposed(tile, ds, q, A.QRow, rows, (float)A.Scale, packedHead, panel, dk);
                if (DV is not null) AddTransposed(tile, dropped, dO, A.ORow, rows, 1, packedHead, panel, dv);
            }
            if (DK is not null) Store(dk, tile.HeadWidth, DK + (long)b * A.Keys * A.KRow + head, A.KRow, A.Keys);
            if (DV is not null) Store(dv, tile.HeadWidth, DV + (long)b * A.Keys * A.VRow + head, A.VRow, A.Keys);
        }

        /// <summary>Scores to p, dp to ds, and p with dropout, for one query.</summary>
        private readonly void Row(int b, int h, int i, float* p, float* ds, float* dropped)
        {
            var row = ((long)b * A.Heads + h) * A.Queries + i;
            var at = ((long)b * A.Queries + i) * A.ORow + h * A.HeadSize;
            var r = Dot(DO + at, O + at);
            var lse = LogSumExp[row];
            Scores.Prepare(p, b, h, i);
            if (float.IsNegativeInfinity(lse)) new Span<float>(p, A.Keys).Clear();
            else Exponentials(p, lse);
            new ReadOnlySpan<float>(p, A.Keys).CopyTo(new Span<float>(dropped, A.Keys));
            Scores.Drop(dropped, row);
            Scores.Drop(ds, row);
            var (shift, n) = (T.Broadcast(r), 0);
            for (; n + T.Width <= A.Keys; n += T.Width) T.Store(ds + n, T.Load(p + n) * (T.Load(ds + n) - shift));
            for (; n < A.Keys; n++) ds[n] = p[n] * (ds[n] - r);
            if (DBias is not null)
            {
                var bias = DBias + ((long)h * A.Queries + i) * A.Keys;
                for (n = 0; n + T.Width <= A.Keys; n += T.Width) T.Store(bias + n, T.Load(bias + n) + T.Load(ds + n));
                for (; n < A.Keys; n++) bias[n] += ds[n];
            }
            if (DSlopes is null) return;
            double sum = 0;
            for (var j = 0; j < A.Keys; j++) sum -= (double)ds[j] * Math.Abs(i - j);
            DSlopes[h] += (float)sum;
        }

        private readonly float Dot(float* x, float* y)
        {
            var lanes = T.Broadcast(0);
            var d = 0;
            for (; d + T.Width <= A.HeadSize; d += T.Width) lanes = T.MultiplyAdd(T.Load(x + d), T.Load(y + d), lanes);
            var sum = T.Sum(lanes);
            for (; d < A.HeadSize; d++) sum += x[d] * y[d];
            return sum;
        }

        private readonly void Exponentials(float* s, float lse)
        {
            var shift = T.Broadcast(lse);
            var j = 0;
            for (; j + T.Width <= A.Keys; j += T.Width) T.Store(s + j, LaneMath<T>.Exp(T.Load(s + j) - shift));
            if (j < A.Keys) T.StoreFirst(s + j, LaneMath<T>.Exp(T.LoadFirst(s + j, A.Keys - j) - shift), A.Keys - j);
        }

        /// <summary>sum[j, d] += factor * sum over the block's rows of m[r, j] * x[r, d].</summary>
        private readonly void AddTransposed(
            AttentionTile<T> tile, float* m, float* x, long xRow, int rows, float factor, float* packed, float* panel,
            float* sum)
        {
            tile.PackColumns(x, xRow, 1, rows, A.HeadSize, packed);
            for (var j = 0; j < A.Keys; j += tile.Rows)
            {
                var n = Math.Min(tile.Rows, A.Keys - j);
                tile.PackRows(m + j, 1, tile.KeyWidth, n, rows, factor, panel);
                tile.Multiply(panel, packed, rows, A.HeadSize, sum + (long)j * tile.HeadWidth, tile.HeadWidth, add: true, n);
            }
        }

        private readonly void Store(float* from, int fromRow, float* to, long toRow, int rows)
        {
            for (var r = 0; r < rows; r++)
                new ReadOnlySpan<float>(from + (long)r * fromRow, A.HeadSize).CopyTo(
                    new Span<float>(to + r * toRow, A.HeadSize));
        }
    }
}
