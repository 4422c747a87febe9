namespace Data2Vec.Kernels;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void CtcLoss(in CtcLossArgs a)
    {
        double total = 0;
        for (var b = 0; b < a.Batch; b++)
        {
            var frames = (int)GetIndex(a.InputLengths, b);
            CtcLayout.CheckLengths(b, frames, a.Time, (int)GetIndex(a.TargetLengths, b), a.MaxTarget);
            var labels = Labels(a.Targets, a.TargetLengths, b, a.MaxTarget);
            foreach (var label in labels) CtcLayout.CheckLabel(b, label, a.Classes);
            var states = WithBlanks(labels, a.Blank);
            double offset = 0;
            double[] alpha = [];
            for (var t = 0; t < frames; t++)
            {
                var before = alpha;
                alpha = new double[states.Length];
                for (var s = 0; s < states.Length; s++)
                {
                    var from = t == 0 ? (s < 2 ? 0 : double.NegativeInfinity) : LogSum(
                        before[s], s > 0 ? before[s - 1] : double.NegativeInfinity,
                        MaySkip(states, s, a.Blank) ? before[s - 2] : double.NegativeInfinity);
                    // Two states a frame at most: the others cannot reach the end.
                    alpha[s] = s < states.Length - 2 * (frames - t) ? double.NegativeInfinity
                        : from + Get(a.X, ((long)b * a.Time + t) * a.Classes + states[s]);
                }
                var largest = alpha[Extreme(alpha, largest: true)];
                offset += largest;
                if (largest == double.NegativeInfinity) largest = 0;
                for (var s = 0; s < states.Length; s++)
                {
                    alpha[s] -= largest;
                    Set(a.Alpha, ((long)b * a.Time + t) * (2 * a.MaxTarget + 1) + s, alpha[s]);
                }
            }
            var loss = frames == 0 ? (labels.Length == 0 ? 0 : double.PositiveInfinity)
                : -(offset + LogSum(alpha[^1], labels.Length > 0 ? alpha[^2] : double.NegativeInfinity));
            Set(a.SampleLoss, b, loss);
            if (a.ZeroInfinity && double.IsPositiveInfinity(loss)) loss = 0;
            if (a.Reduction is Reduction.None or Reduction.PerRow) Set(a.Loss, b, loss);
            total += a.Reduction == Reduction.Mean ? loss / Math.Max(labels.Length, 1) : loss;
        }
        if (a.Reduction == Reduction.Sum) Set(a.Loss, 0, total);
        if (a.Reduction == Reduction.Mean) Set(a.Loss, 0, total / a.Batch);
    }

    /// <inheritdoc/>
    public void CtcLossBackward(in CtcLossBackwardArgs a)
    {
        for (var b = 0; b < a.Batch; b++)
        {
            var frames = (int)GetIndex(a.InputLengths, b);
            var labels = Labels(a.Targets, a.TargetLengths, b, a.MaxTarget);
            var states = WithBlanks(labels, a.Blank);
            var dLoss = a.Reduction switch
            {
                Reduction.None or Reduction.PerRow => Get(a.DLoss, b),
                Reduction.Sum => Get(a.DLoss, 0),
                _ => Get(a.DLoss, 0) / a.Batch / Math.Max(labels.Length, 1),
            };
            var impossible = double.IsPositiveInfinity(Get(a.SampleLoss, b));
            double[] after = [];
            for (var t = a.Time - 1; t >= 0; t--)
            {
                var row = ((long)b * a.Time + t) * a.Classes;
                if (t >= frames || impossible)
                {
                    var value = t >= frames || a.ZeroInfinity ? 0 : double.NaN;
                    for (var c = 0; c < a.Classes; c++) Set(a.DX, row + c, value);
                    continue;
                }
                var beta = new double[states.Length];
                for (var s = 0; s < states.Length; s++)
                {
                    beta[s] = t == frames - 1 ? (s >= states.Length - 2 ? 0 : double.NegativeInfinity) : LogSum(
                        after[s], s + 1 < after.Length ? after[s + 1] : double.NegativeInfinity,
                        MaySkip(states, s + 2, a.Blank) ? after[s + 2] : double.NegativeInfinity);
                }
                var alpha = Read(a.Alpha.At(((long)b * a.Time + t) * (2 * a.MaxTarget + 1)), states.Length);
                var total = double.NegativeInfinity;
                for (var s = 0; s < states.Length; s++) total = LogSum(total, alpha[s] + beta[s]);
                var posterior = new double[a.Classes];
                for (var s = 0; s < states.Length; s++) posterior[states[s]] += Math.Exp(alpha[s] + beta[s] - total);
                for (var c = 0; c < a.Classes; c++)
                    Set(a.DX, row + c, dLoss * (Math.Exp(Get(a.X, row + c)) - posterior[c]));
                after = beta;
                for (var s = 0; s < states.Length; s++) after[s] += Get(a.X, row + states[s]);
            }
        }
    }

    private static int[] Labels(BufferView targets, BufferView lengths, int sample, int width)
    {
        var labels = new int[GetIndex(lengths, sample)];
        for (var i = 0; i < labels.Length; i++) labels[i] = (int)GetIndex(targets, (long)sample * width + i);
        return labels;
    }

    /// <summary>blank, label, blank, label, ..., blank.</summary>
    private static int[] WithBlanks(int[] labels, int blank)
    {
        var states = new int[2 * labels.Length + 1];
        for (var s = 0; s < states.Length; s++) states[s] = s % 2 == 0 ? blank : labels[s / 2];
        return states;
    }

    /// <summary>State s may follow state s - 2: a label that is not the one before it.</summary>
    private static bool MaySkip(int[] states, int s, int blank) =>
        s >= 2 && s < states.Length && states[s] != blank && states[s] != states[s - 2];

    private static double LogSum(params ReadOnlySpan<double> values)
    {
        var largest = double.NegativeInfinity;
        foreach (var v in values) largest = Math.Max(largest, v);
        if (double.IsInfinity(largest)) return largest;
        double sum = 0;
        foreach (var v in values) sum += Math.Exp(v - largest);
        return largest + Math.Log(sum);
    }
}
