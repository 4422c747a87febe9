namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    /// <summary>Channels of one chunk: a cache line's worth, so that a chunk walks time in whole lines.</summary>
    private const int ChannelsPerChunk = 64;

    public void InstanceNorm(in InstanceNormArgs a)
    {
        var job = new InstanceNormJob
        {
            X = F(a.X), Y = F(a.Y), Mean = F(a.Mean), Rstd = F(a.Rstd), Time = a.Time, Channels = a.Channels,
            Eps = a.Eps,
        };
        pool.Run(ref job, a.Batch * job.Groups);
    }

    public void InstanceNormBackward(in InstanceNormBackwardArgs a)
    {
        var job = new InstanceNormJob
        {
            X = F(a.X), DY = F(a.DY), Y = F(a.DX), Mean = F(a.Mean), Rstd = F(a.Rstd), Time = a.Time,
            Channels = a.Channels,
        };
        pool.Run(ref job, a.Batch * job.Groups);
    }

    private struct InstanceNormJob : Cpu.IJob
    {
        public float* X, DY, Y, Mean, Rstd;
        public int Time, Channels;
        public double Eps;

        public readonly int Groups => (Channels + ChannelsPerChunk - 1) / ChannelsPerChunk;

        public readonly void Execute(int chunk, int worker)
        {
            var b = chunk / Groups;
            var first = chunk % Groups * ChannelsPerChunk;
            var n = Math.Min(ChannelsPerChunk, Channels - first);
            var at = (long)b * Time * Channels + first;
            var statistics = (long)b * Channels + first;
            if (DY is null) Forward(at, statistics, n);
            else Backward(at, statistics, n);
        }

        private readonly void Forward(long at, long statistics, int n)
        {
            var mean = stackalloc double[ChannelsPerChunk];
            var rstd = stackalloc double[ChannelsPerChunk];
            new Span<double>(mean, n).Clear();
            new Span<double>(rstd, n).Clear();
            for (var t = 0; t < Time; t++)
                for (var c = 0; c < n; c++) mean[c] += X[at + (long)t * Channels + c];
            for (var c = 0; c < n; c++) mean[c] /= Time;
            for (var t = 0; t < Time; t++)
            {
                for (var c = 0; c < n; c++)
                {
                    var d = X[at + (long)t * Channels + c] - mean[c];
                    rstd[c] += d * d;
                }
            }
            for (var c = 0; c < n; c++) rstd[c] = 1 / Math.Sqrt(rstd[c] / Time + Eps);
            for (var t = 0; t < Time; t++)
            {
                for (var c = 0; c < n; c++)
                {
                    var i = at + (long)t * Channels + c;
                    Y[i] = (float)((X[i] - mean[c]) * rstd[c]);
                }
            }
            for (var c = 0; c < n; c++)
            {
                if (Mean is not null) Mean[statistics + c] = (float)mean[c];
                if (Rstd is not null) Rstd[statistics + c] = (float)rstd[c];
            }
        }

        private readonly void Backward(long at, long statistics, int n)
        {
            var meanDY = stackalloc double[ChannelsPerChunk];
            var meanDYH = stackalloc double[ChannelsPerChunk];
            new Span<double>(meanDY, n).Clear();
            new Span<double>(meanDYH, n).Clear();
            for (var t = 0; t < Time; t++)
            {
                for (var c = 0; c < n; c++)
                {
                    var i = at + (long)t * Channels + c;
                    meanDY[c] += DY[i];
                    meanDYH[c] += DY[i] * (double)(X[i] - Mean[statistics + c]) * Rstd[statistics + c];
                }
            }
            for (var t = 0; t < Time; t++)
            {
                for (var c = 0; c < n; c++)
                {
                    var i = at + (long)t * Channels + c;
                    var h = (double)(X[i] - Mean[statistics + c]) * Rstd[statistics + c];
                    Y[i] = (float)(Rstd[statistics + c] * (DY[i] - meanDY[c] / Time - h * meanDYH[c] / Time));
                }
            }
        }
    }
}
