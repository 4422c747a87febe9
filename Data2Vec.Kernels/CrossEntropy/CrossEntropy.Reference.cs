namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void CrossEntropy(in CrossEntropyArgs a)
    {
        double total = 0, totalWeight = 0;
        for (long r = 0; r < a.Rows; r++)
        {
            var row = r * a.Classes;
            var x = Read(a.X.At(row), a.Classes);
            var max = x[Extreme(x, largest: true)];
            var lse = double.IsInfinity(max) ? max : max + Math.Log(x.Sum(v => Math.Exp(v - max)));
            Set(a.LogSumExp, r, lse);
            var target = GetIndex(a.Target, r);
            double loss = 0;
            if (target != a.IgnoreIndex)
            {
                target = RowIndex.Checked("CrossEntropy", target, r, a.Classes);
                loss = (1 - a.Smoothing) * ClassWeight(a.Weight, target) * (lse - x[target]);
                if (a.Smoothing > 0)
                {
                    for (var c = 0; c < a.Classes; c++)
                        loss += a.Smoothing / a.Classes * ClassWeight(a.Weight, c) * (lse - x[c]);
                }
                total += loss;
                totalWeight += ClassWeight(a.Weight, target);
            }
            if (a.Reduction is Reduction.None or Reduction.PerRow) Set(a.Loss, r, loss);
        }
        Set(a.TotalWeight, 0, totalWeight);
        if (a.Reduction == Reduction.Sum) Set(a.Loss, 0, total);
        if (a.Reduction == Reduction.Mean) Set(a.Loss, 0, total / totalWeight);
    }

    /// <inheritdoc/>
    public void CrossEntropyBackward(in CrossEntropyBackwardArgs a)
    {
        double allWeights = 0;
        for (var c = 0; c < a.Classes; c++) allWeights += ClassWeight(a.Weight, c);
        for (long r = 0; r < a.Rows; r++)
        {
            var row = r * a.Classes;
            var target = GetIndex(a.Target, r);
            var ignored = target == a.IgnoreIndex;
            var dLoss = a.Reduction switch
            {
                Reduction.None or Reduction.PerRow => Get(a.DLoss, r),
                Reduction.Sum => Get(a.DLoss, 0),
                _ => ignored ? 0 : Get(a.DLoss, 0) / Get(a.TotalWeight, 0),
            };
            var x = Read(a.X.At(row), a.Classes);
            for (var c = 0; c < a.Classes; c++)
            {
                var p = Math.Exp(x[c] - Get(a.LogSumExp, r));
                var hard = ignored ? 0 : ClassWeight(a.Weight, target) * (p - (c == target ? 1 : 0));
                var smooth = (p * allWeights - ClassWeight(a.Weight, c)) / a.Classes;
                Set(a.DX, row + c, ignored ? 0 : dLoss * ((1 - a.Smoothing) * hard + a.Smoothing * smooth));
            }
        }
    }

    private static double ClassWeight(BufferView weight, long c) => weight.IsNone ? 1 : Get(weight, c);
}
