namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void LayerNorm(in LayerNormArgs a)
    {
        var keep = KeepFactors(a.Dropout, a.Rows * a.Columns);
        for (long r = 0; r < a.Rows; r++)
        {
            var row = r * a.Columns;
            var s = new double[a.Columns];
            for (var c = 0; c < a.Columns; c++)
            {
                s[c] = Get(a.X, row + c) * (keep is null ? 1 : keep[row + c]);
                if (!a.Residual.IsNone) s[c] += Get(a.Residual, row + c);
            }
            var mean = s.Sum() / a.Columns;
            var rstd = 1 / Math.Sqrt(s.Sum(v => (v - mean) * (v - mean)) / a.Columns + a.Eps);
            for (var c = 0; c < a.Columns; c++)
            {
                var h = (s[c] - mean) * rstd;
                var gamma = a.Gamma.IsNone ? 1 : Get(a.Gamma, c);
                var beta = a.Beta.IsNone ? 0 : Get(a.Beta, c);
                if (!a.Residual.IsNone || a.Dropout.IsActive) Set(a.Sum, row + c, s[c]);
                Set(a.Y, row + c, Activated(a.Activation, h * gamma + beta));
            }
            if (!a.Mean.IsNone) Set(a.Mean, r, mean);
            if (!a.Rstd.IsNone) Set(a.Rstd, r, rstd);
        }
    }

    /// <inheritdoc/>
    public void LayerNormBackward(in LayerNormBackwardArgs a)
    {
        var keep = KeepFactors(a.Dropout, a.Rows * a.Columns);
        var dGamma = new double[a.Columns];
        var dBeta = new double[a.Columns];
        var g = new double[a.Columns];
        var h = new double[a.Columns];
        for (long r = 0; r < a.Rows; r++)
        {
            var row = r * a.Columns;
            var rstd = Get(a.Rstd, r);
            double meanG = 0, meanGH = 0;
            for (var c = 0; c < a.Columns; c++)
            {
                h[c] = (Get(a.Sum, row + c) - Get(a.Mean, r)) * rstd;
                var gamma = a.Gamma.IsNone ? 1 : Get(a.Gamma, c);
                var beta = a.Beta.IsNone ? 0 : Get(a.Beta, c);
                var dy = Get(a.DY, row + c) * SlopeOf(a.Activation, h[c] * gamma + beta);
                g[c] = dy * gamma;
                dGamma[c] += dy * h[c];
                dBeta[c] += dy;
                meanG += g[c] / a.Columns;
                meanGH += g[c] * h[c] / a.Columns;
            }
            for (var c = 0; c < a.Columns; c++)
            {
                var ds = rstd * (g[c] - meanG - h[c] * meanGH);
                if (!a.DResidual.IsNone) Set(a.DResidual, row + c, ds);
                if (!a.DX.IsNone) Set(a.DX, row + c, ds * (keep is null ? 1 : keep[row + c]));
            }
        }
        Write(a.DGamma, dGamma, a.AccumulateGamma);
        Write(a.DBeta, dBeta, a.AccumulateBeta);
    }
}
