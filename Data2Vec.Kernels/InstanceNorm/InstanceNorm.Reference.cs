namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void InstanceNorm(in InstanceNormArgs a)
    {
        for (var b = 0; b < a.Batch; b++)
        {
            for (var c = 0; c < a.Channels; c++)
            {
                var start = (long)b * a.Time * a.Channels + c;
                double mean = 0, variance = 0;
                for (var t = 0; t < a.Time; t++) mean += Get(a.X, start + (long)t * a.Channels) / a.Time;
                for (var t = 0; t < a.Time; t++)
                    variance += Math.Pow(Get(a.X, start + (long)t * a.Channels) - mean, 2) / a.Time;
                var rstd = 1 / Math.Sqrt(variance + a.Eps);
                for (var t = 0; t < a.Time; t++)
                {
                    var at = start + (long)t * a.Channels;
                    Set(a.Y, at, (Get(a.X, at) - mean) * rstd);
                }
                if (!a.Mean.IsNone) Set(a.Mean, (long)b * a.Channels + c, mean);
                if (!a.Rstd.IsNone) Set(a.Rstd, (long)b * a.Channels + c, rstd);
            }
        }
    }

    /// <inheritdoc/>
    public void InstanceNormBackward(in InstanceNormBackwardArgs a)
    {
        for (var b = 0; b < a.Batch; b++)
        {
            for (var c = 0; c < a.Channels; c++)
            {
                var start = (long)b * a.Time * a.Channels + c;
                var mean = Get(a.Mean, (long)b * a.Channels + c);
                var rstd = Get(a.Rstd, (long)b * a.Channels + c);
                double meanDY = 0, meanDYH = 0;
                for (var t = 0; t < a.Time; t++)
                {
                    var at = start + (long)t * a.Channels;
                    meanDY += Get(a.DY, at) / a.Time;
                    meanDYH += Get(a.DY, at) * (Get(a.X, at) - mean) * rstd / a.Time;
                }
                for (var t = 0; t < a.Time; t++)
                {
                    var at = start + (long)t * a.Channels;
                    var h = (Get(a.X, at) - mean) * rstd;
                    Set(a.DX, at, rstd * (Get(a.DY, at) - meanDY - h * meanDYH));
                }
            }
        }
    }
}
