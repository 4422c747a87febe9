using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void Attention(in AttentionArgs a)
    {
        var job = new AttentionJob
        {
            A = a, Q = F(a.Q), K = F(a.K), V = F(a.V), O = F(a.O), LogSumExp = F(a.LogSumExp),
            Probabilities = F(a.Probabilities), Scores = new ScoreRow(a.KeyMask, a.Bias, a.Slopes, a.Dropout, a.Queries, a.Keys, a.Heads),
            Scratch = scratch,
        };
        pool.Run(ref job, a.Batch * a.Heads);
    }

    /// <summary>One sample's head: K and V are packed once, then blocks of query rows run through both products.</summary>
    private struct AttentionJob : IJob
    {
        public AttentionArgs A;
        public float* Q, K, V, O, LogSumExp, Probabilities;
        public ScoreRow Scores;
        public NativeScratch[] Scratch;

        public readonly void Execute(int chunk, int worker)
        {
            var (b, h) = (chunk / A.Heads, chunk % A.Heads);
            var tile = new AttentionTile<T>(A.Keys, A.HeadSize);
            var memory = Scratch[worker].Floats(2 * tile.PackedKeys + tile.BlockScores + tile.BlockPanel + tile.BlockHead);
            var keys = memory;
            var values = keys + tile.PackedKeys;
            var s = values + tile.PackedKeys;
            var panel = s + tile.BlockScores;
            var o = panel + tile.BlockPanel;
            var head = h * A.HeadSize;
            tile.PackColumns(K + (long)b * A.Keys * A.KRow + head, 1, A.KRow, A.HeadSize, A.Keys, keys);
            tile.PackColumns(V + (long)b * A.Keys * A.VRow + head, A.VRow, 1, A.Keys, A.HeadSize, values);
            for (var i = 0; i < A.Queries; i += tile.Rows)
            {
                var rows = Math.Min(tile.Rows, A.Queries - i);
                var first = ((long)b * A.Queries + i) * A.QRow + head;
                tile.PackRows(Q + first, A.QRow, 1, rows, A.HeadSize, (float)A.Scale, panel);
                tile.Multiply(panel, keys, A.HeadSize, A.Keys, s, tile.KeyWidth);
                for (var r = 0; r < rows; r++)
                {
                    var row = ((long)b * A.Heads + h) * A.Queries + i + r;
                    var lse = Scores.Softmax(s + r * tile.KeyWidth, b, h, i + r);
                    if (LogSumExp is not null) LogSumExp[row] = lse;
                    if (Probabilities is not null)
                        new ReadOnlySpan<float>(s + r * tile.KeyWidth, A.Keys).CopyTo(new Span<float>(Probabilities + row * A.Keys, A.Keys));
                    Scores.Drop(s + r * tile.KeyWidth, row);
                }
                tile.PackRows(s, tile.KeyWidth, 1, rows, A.Keys, 1, panel);
                tile.Multiply(panel, values, A.Keys, A.HeadSize, o, tile.HeadWidth);
                for (var r = 0; r < rows; r++)
                {
                    new ReadOnlySpan<float>(o + r * tile.HeadWidth, A.HeadSize).CopyTo(
                        new Span<float>(O + ((long)b * A.Queries + i + r) * A.ORow + head, A.HeadSize));
                }
            }
        }
    }

    /// <summary>What is done to one row of scores: bias, slopes, mask, softmax, dropout.</summary>
    private readonly struct ScoreRow(
        BufferView keyMask, BufferView bias, BufferView slopes, in DropoutSource dropout, int queries, int keys, int heads)
    {
        private readonly byte* keyMask = HostTransfer.Address(keyMask);
        private readonly float* bias = F(bias);
        private readonly float* slopes = F(slopes);
        private readonly byte* keep = HostTransfer.Address(dropout.Keep);
        private readonly bool drops = dropout.IsActive;
        private readonly int threshold = dropout.ByteThreshold;
        private readonly float keepScale = (float)(1 / (1 - dropout.Probability));
        private readonly RandomKey key = dropout.IsActive && dropout.Keep.IsNone ? KeyOf(dropout) : default;
        private readonly int queries = queries, keys = keys, heads = heads;

        /// <summary>Adds bias and slopes and puts -inf where a key does not take part.</summary>
        public void Prepare(float* s, int b, int h, int i)
        {
            if (bias is not null)
            {
                var row = bias + ((long)h * queries + i) * keys;
                var j = 0;
                for (; j + T.Width <= keys; j += T.Width) T.Store(s + j, T.Load(s + j) + T.Load(row + j));
                for (; j < keys; j++) s[j] += row[j];
            }
            if (slopes is not null)
                for (var j = 0; j < keys; j++) s[j] -= slopes[h] * Math.Abs(i - j);
            if (keyMask is null) return;
            var mask = keyMask + (long)b * keys;
            for (var j = 0; j < keys; j++)
                if (mask[j] == 0) s[j] = float.NegativeInfinity;
        }

        /// <summary>Scores to probabilities; returns log-sum-exp, -inf for a row without any key (then all are 0).</summary>
        public float Softmax(float* s, int b, int h, int i)
        {
            Prepare(s, b, h, i);
            var max = Largest(s);
            if (float.IsNegativeInfinity(max))
            {
                new Span<float>(s, keys).Clear();
                return max;
            }
            var shift = T.Broadcast(max);
            var lanes = T.Broadcast(0);
            var n = 0;
            for (; n + T.Width <= keys; n += T.Width)
            {
                var e = LaneMath<T>.Exp(T.Load(s + n) - shift);
                T.Store(s + n, e);
                lanes += e;
            }
            var sum = T.Sum(lanes);
            if (n < keys) T.StoreFirst(s + n, LaneMath<T>.Exp(T.LoadFirst(s + n, keys - n) - shift), keys - n);
            for (; n < keys; n++) sum += s[n];
            var inverse = 1 / sum;
            var factor = T.Broadcast(inverse);
            n = 0;
            for (; n + T.Width <= keys; n += T.Width) T.Store(s + n, T.Load(s + n) * factor);
            for (; n < keys; n++) s[n] *= inverse;
            return max + MathF.Log(sum);
        }

        /// <summary>The largest score; a NaN makes it NaN or, beside finite scores, the sum of exponentials.</summary>
        private float Largest(float* s)
        {
            var max = float.NegativeInfinity;
            var n = 0;
            if (keys >= T.Width)
            {
                var lanes = T.Load(s);
                for (n = T.Width; n + T.Width <= keys; n += T.Width) lanes = T.Max(T.Load(s + n), lanes);
                max = T.Largest(lanes);
            }
            for (; n < keys; n++) max = MathF.Max(max, s[n]);
            if (!float.IsNegativeInfinity(max)) return max;
            // No key, or NaN beside nothing: lanes lose it.
            for (n = 0; n < keys; n++) max = MathF.Max(max, s[n]);
            return max;
        }

        /// <summary>p * keep / keep probability, for row (b, h, i) counted over all samples and heads.</summary>
        public void Drop(float* p, long row)
        {
            if (!drops) return;
            var start = row * keys;
            if (keep is not null)
            {
                for (var j = 0; j < keys; j++) p[j] = keep[start + j] != 0 ? p[j] * keepScale : 0;
                return;
            }
            var scale = 256f / (256 - threshold);
            PhiloxBlock block = default;
            for (var j = 0; j < keys; j++)
            {
                var at = (ulong)(start + j);
                if (j == 0 || at % 16 == 0) block = Philox.Block(key, at / 16);
                var bits = (int)(block[(int)(at % 16 / 4)] >> (int)(at % 4 * 8)) & 255;
                p[j] = bits >= threshold ? p[j] * scale : 0;
            }
        }

        private static RandomKey KeyOf(in DropoutSource source)
        {
            var step = HostTransfer.Address<StepValues>(source.Step);
            return new RandomKey(step->Seed, step->Step, (ushort)step->MicroBatch, source.Site);
        }
    }
}
