namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void SmoothL1(in SmoothL1Args a)
    {
        double total = 0;
        for (long i = 0; i < a.Count; i++)
        {
            var row = a.Rows.IsNone ? i : RowAt("SmoothL1", a.Rows, i, a.XRows);
            double rowSum = 0;
            for (var c = 0; c < a.Columns; c++)
            {
                var d = Math.Abs(Get(a.X, row * a.Columns + c) - Get(a.Target, i * a.Columns + c));
                var loss = a.Beta == 0 ? d * d : d < a.Beta ? 0.5 * d * d / a.Beta : d - 0.5 * a.Beta;
                if (a.Reduction == Reduction.None) Set(a.Loss, i * a.Columns + c, a.Scale * loss);
                rowSum += loss;
            }
            if (a.Reduction == Reduction.PerRow) Set(a.Loss, i, a.Scale * rowSum);
            total += rowSum;
        }
        if (a.Reduction == Reduction.Sum) Set(a.Loss, 0, a.Scale * total);
        if (a.Reduction == Reduction.Mean) Set(a.Loss, 0, a.Scale * total / ((double)a.Count * a.Columns));
    }

    /// <inheritdoc/>
    public void SmoothL1Backward(in SmoothL1BackwardArgs a)
    {
        var dx = new double[a.XRows * a.Columns];
        for (long i = 0; i < a.Count; i++)
        {
            var row = a.Rows.IsNone ? i : RowAt("SmoothL1Backward", a.Rows, i, a.XRows);
            for (var c = 0; c < a.Columns; c++)
            {
                var d = Get(a.X, row * a.Columns + c) - Get(a.Target, i * a.Columns + c);
                var slope = a.Beta == 0 ? 2 * d : Math.Abs(d) < a.Beta ? d / a.Beta : Math.Sign(d);
                var dLoss = a.Reduction switch
                {
                    Reduction.None => Get(a.DLoss, i * a.Columns + c),
                    Reduction.PerRow => Get(a.DLoss, i),
                    Reduction.Sum => Get(a.DLoss, 0),
                    _ => Get(a.DLoss, 0) / ((double)a.Count * a.Columns),
                };
                var g = a.Scale * dLoss * slope;
                dx[row * a.Columns + c] += g;
                if (!a.DTarget.IsNone) Set(a.DTarget, i * a.Columns + c, -g);
            }
        }
        Write(a.DX, dx);
    }
}
