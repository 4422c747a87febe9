namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Targets(in TargetsArgs a)
    {
        var mean = new double[a.Rows * a.Channels];
        for (var k = 0; k < a.LayerCount; k++)
        {
            var x = Read(a.Layers[k], mean.Length);
            if (a.Norm == TargetNorm.Layer)
                for (long r = 0; r < a.Rows; r++) NormaliseLine(x, r * a.Channels, 1, a.Channels, a.Eps);
            if (a.Norm == TargetNorm.Instance)
                for (long b = 0; b < a.Batch; b++)
                    for (var c = 0; c < a.Channels; c++)
                        NormaliseLine(x, b * a.Time * a.Channels + c, a.Channels, a.Time, a.Eps);
            for (var i = 0; i < mean.Length; i++) mean[i] += x[i] / a.LayerCount;
        }
        if (a.FinalLayerNorm)
            for (long r = 0; r < a.Rows; r++) NormaliseLine(mean, r * a.Channels, 1, a.Channels, a.Eps);
        Write(a.Y, mean);
    }

    /// <summary>(x - mean) / sqrt(biased variance + eps) of so many numbers at equal distances, in place.</summary>
    private static void NormaliseLine(double[] x, long start, long step, int count, double eps)
    {
        double mean = 0, variance = 0;
        for (var i = 0; i < count; i++) mean += x[start + i * step] / count;
        for (var i = 0; i < count; i++) variance += Math.Pow(x[start + i * step] - mean, 2) / count;
        for (var i = 0; i < count; i++) x[start + i * step] = (x[start + i * step] - mean) / Math.Sqrt(variance + eps);
    }
}
