namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Attention(in AttentionArgs a)
    {
        var keep = AttentionKeep(a.Dropout, (long)a.Batch * a.Heads * a.Queries * a.Keys);
        var s = new double[a.Keys];
        for (var b = 0; b < a.Batch; b++)
        {
            for (var h = 0; h < a.Heads; h++)
            {
                for (var i = 0; i < a.Queries; i++)
                {
                    var row = ((long)b * a.Heads + h) * a.Queries + i;
                    var q = ((long)b * a.Queries + i) * a.QRow + h * a.HeadSize;
                    for (var j = 0; j < a.Keys; j++)
                    {
                        var k = ((long)b * a.Keys + j) * a.KRow + h * a.HeadSize;
                        s[j] = Score(a, b, h, i, j, q, k);
                    }
                    var max = s.Length == 0 ? double.NegativeInfinity : s[Extreme(s, largest: true)];
                    var empty = double.IsNegativeInfinity(max);
                    var sum = empty ? 0 : s.Sum(v => Math.Exp(v - max));
                    if (!a.LogSumExp.IsNone) Set(a.LogSumExp, row, empty ? max : max + Math.Log(sum));
                    for (var j = 0; j < a.Keys; j++)
                    {
                        s[j] = empty ? 0 : Math.Exp(s[j] - max) / sum;
                        if (!a.Probabilities.IsNone) Set(a.Probabilities, row * a.Keys + j, s[j]);
                        if (keep is not null) s[j] *= keep[row * a.Keys + j];
                    }
                    for (var d = 0; d < a.HeadSize; d++)
                    {
                        double o = 0;
                        for (var j = 0; j < a.Keys; j++)
                            o += s[j] * Get(a.V, ((long)b * a.Keys + j) * a.VRow + h * a.HeadSize + d);
                        Set(a.O, ((long)b * a.Queries + i) * a.ORow + h * a.HeadSize + d, o);
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public void AttentionBackward(in AttentionBackwardArgs a)
    {
        var scores = new AttentionArgs
        {
            Q = a.Q, K = a.K, KeyMask = a.KeyMask, Bias = a.Bias, Slopes = a.Slopes, Queries = a.Queries,
            Keys = a.Keys, HeadSize = a.HeadSize, Scale = a.Scale,
        };
        var keep = AttentionKeep(a.Dropout, (long)a.Batch * a.Heads * a.Queries * a.Keys);
        // Dense [position, head, element]; the store below spreads them to the row strides of q, k and v.
        var width = a.Heads * a.HeadSize;
        var dq = new double[(long)a.Batch * a.Queries * width];
        var dk = new double[(long)a.Batch * a.Keys * width];
        var dv = new double[(long)a.Batch * a.Keys * width];
        var dBias = new double[(long)a.Heads * a.Queries * a.Keys];
        var dSlopes = new double[a.Heads];
        for (var b = 0; b < a.Batch; b++)
        {
            for (var h = 0; h < a.Heads; h++)
            {
                for (var i = 0; i < a.Queries; i++)
                {
                    var row = ((long)b * a.Heads + h) * a.Queries + i;
                    var q = ((long)b * a.Queries + i) * a.QRow + h * a.HeadSize;
                    var o = ((long)b * a.Queries + i) * a.ORow + h * a.HeadSize;
                    var lse = Get(a.LogSumExp, row);
                    double r = 0;
                    for (var d = 0; d < a.HeadSize; d++) r += Get(a.DO, o + d) * Get(a.O, o + d);
                    var atQ = ((long)b * a.Queries + i) * width + h * a.HeadSize;
                    for (var j = 0; j < a.Keys; j++)
                    {
                        var k = ((long)b * a.Keys + j) * a.KRow + h * a.HeadSize;
                        var v = ((long)b * a.Keys + j) * a.VRow + h * a.HeadSize;
                        var atK = ((long)b * a.Keys + j) * width + h * a.HeadSize;
                        var p = double.IsNegativeInfinity(lse) ? 0 : Math.Exp(Score(scores, b, h, i, j, q, k) - lse);
                        var factor = keep is null ? 1 : keep[row * a.Keys + j];
                        double dp = 0;
                        for (var d = 0; d < a.HeadSize; d++)
                        {
                            dp += factor * Get(a.DO, o + d) * Get(a.V, v + d);
                            dv[atK + d] += p * factor * Get(a.DO, o + d);
                        }
                        var ds = p * (dp - r);
                        for (var d = 0; d < a.HeadSize; d++)
                        {
                            dq[atQ + d] += a.Scale * ds * Get(a.K, k + d);
                            dk[atK + d] += a.Scale * ds * Get(a.Q, q + d);
                        }
                        dBias[((long)h * a.Queries + i) * a.Keys + j] += ds;
                        dSlopes[h] -= ds * Math.Abs(i - j);
                    }
                }
            }
        }
        WriteRows(a.DQ, dq, width, a.QRow);
        WriteRows(a.DK, dk, width, a.KRow);
        WriteRows(a.DV, dv, width, a.VRow);
        Write(a.DBias, dBias, a.AccumulateBias);
        Write(a.DSlopes, dSlopes, a.AccumulateSlopes);
    }

    private static void WriteRows(BufferView view, double[] rows, int width, long stride)
    {
        if (view.IsNone) return;
        for (long i = 0; i < rows.Length; i++) Set(view, i / width * stride + i % width, rows[i]);
    }

    private static double Score(in AttentionArgs a, int b, int h, int i, int j, long q, long k)
    {
        if (!a.KeyMask.IsNone && Get(a.KeyMask, (long)b * a.Keys + j) == 0) return double.NegativeInfinity;
        double dot = 0;
        for (var d = 0; d < a.HeadSize; d++) dot += Get(a.Q, q + d) * Get(a.K, k + d);
        var s = a.Scale * dot;
        if (!a.Bias.IsNone) s += Get(a.Bias, ((long)h * a.Queries + i) * a.Keys + j);
        if (!a.Slopes.IsNone) s -= Get(a.Slopes, h) * Math.Abs(i - j);
        return s;
    }

    /// <summary>keep / realised keep probability for every score; null when nothing is dropped.</summary>
    private static double[]? AttentionKeep(in DropoutSource source, long count)
    {
        if (!source.Keep.IsNone) return KeepFactors(source, count);
        if (!source.IsActive) return null;
        var factors = new double[count];
        var key = KeyOf(source);
        for (long i = 0; i < count; i++)
        {
            var word = Philox.Block(key, (ulong)i / 16)[(int)(i % 16 / 4)];
            var bits = (int)(word >> (int)(i % 4 * 8)) & 255;
            factors[i] = bits >= source.ByteThreshold ? 256.0 / (256 - source.ByteThreshold) : 0;
        }
        return factors;
    }
}
