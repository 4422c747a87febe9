namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Reduce(in ReduceArgs a)
    {
        var kept = new StridedWalk(a.Kept);
        var values = new double[a.Reduced.Count];
        for (long k = 0; k < a.Kept.Count; k++, kept.Next())
        {
            var start = kept.Offset(a.KeptStrides);
            var walk = new StridedWalk(a.Reduced);
            for (long r = 0; r < values.Length; r++, walk.Next())
                values[r] = Get(a.X, start + walk.Offset(a.ReducedStrides));
            var result = Combine(a.Op, values, a.Correction);
            Set(a.Y, k, a.Accumulate ? Get(a.Y, k) + result : result);
        }
    }

    private static double Combine(ReduceOp op, double[] x, double correction)
    {
        switch (op)
        {
            case ReduceOp.Sum: return x.Sum();
            case ReduceOp.Mean: return x.Sum() / x.Length;
            case ReduceOp.SumOfSquares: return x.Sum(v => v * v);
            case ReduceOp.Max: return x[Extreme(x, largest: true)];
            case ReduceOp.Min: return x[Extreme(x, largest: false)];
            case ReduceOp.ArgMax: return Extreme(x, largest: true);
            case ReduceOp.ArgMin: return Extreme(x, largest: false);
            case ReduceOp.Variance:
                var mean = x.Sum() / x.Length;
                return x.Sum(v => (v - mean) * (v - mean)) / Math.Max(0, x.Length - correction);
            case ReduceOp.LogSumExp:
                if (x.Length == 0) return double.NegativeInfinity;
                var max = x[Extreme(x, largest: true)];
                return double.IsInfinity(max) ? max : max + Math.Log(x.Sum(v => Math.Exp(v - max)));
            default: throw new ArgumentOutOfRangeException(nameof(op), $"Reduce: {op} is not a known reduction.");
        }
    }

    /// <summary>Position of the first largest (or smallest) value; NaN beats every number.</summary>
    private static int Extreme(double[] x, bool largest)
    {
        var best = 0;
        for (var i = 0; i < x.Length; i++)
        {
            if (double.IsNaN(x[i])) return i;
            if (largest ? x[i] > x[best] : x[i] < x[best]) best = i;
        }
        return best;
    }
}
