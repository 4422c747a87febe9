using System.Runtime.CompilerServices;
using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void Targets(in TargetsArgs a)
    {
        var layers = default(LayerAddresses);
        for (var k = 0; k < a.LayerCount; k++) layers[k] = (nint)F(a.Layers[k]);
        var rows = new TargetRows
        {
            Layers = layers, LayerCount = a.LayerCount, Y = F(a.Y), Channels = a.Channels, Norm = a.Norm,
            Final = a.FinalLayerNorm, Eps = (float)a.Eps, Scratch = scratch,
        };
        if (a.Norm == TargetNorm.Instance)
        {
            var stripes = new TargetStripes
            {
                Layers = layers, LayerCount = a.LayerCount, Y = rows.Y, Time = a.Time, Channels = a.Channels, Eps = a.Eps,
            };
            pool.Run(ref stripes, a.Batch * stripes.Groups);
            if (!a.FinalLayerNorm) return;
            rows.LayerCount = 0;
        }
        ForRanges(ref rows, a.Rows, RowsPerChunk((long)a.Channels * a.LayerCount));
    }

    [InlineArray(TargetsArgs.MostLayers)]
    private struct LayerAddresses
    {
        private nint first;
    }

    /// <summary>Positions, each with all its layers; without layers the mean is in y and waits for its norm.</summary>
    private struct TargetRows : IRange
    {
        public LayerAddresses Layers;
        public float* Y;
        public int LayerCount, Channels;
        public TargetNorm Norm;
        public bool Final;
        public float Eps;
        public NativeScratch[] Scratch;

        public readonly void Run(long start, long end, int worker)
        {
            var normal = Scratch[worker].Floats(Channels);
            for (var r = start; r < end; r++)
            {
                var y = Y + r * Channels;
                for (var k = 0; k < LayerCount; k++)
                {
                    var x = (float*)Layers[k] + r * Channels;
                    if (Norm == TargetNorm.Layer) Normalise(x, normal);
                    Add(Norm == TargetNorm.Layer ? normal : x, y, first: k == 0);
                }
                if (LayerCount > 1) Multiply(y, 1f / LayerCount);
                if (Final) Normalise(y, y);
            }
        }

        private readonly void Normalise(float* x, float* y) =>
            new LayerNormRange { X = x, Y = y, Columns = Channels, Eps = Eps }.Run(0, 1, 0);

        private readonly void Add(float* x, float* y, bool first)
        {
            var c = 0;
            for (; c + T.Width <= Channels; c += T.Width) T.Store(y + c, first ? T.Load(x + c) : T.Load(y + c) + T.Load(x + c));
            for (; c < Channels; c++) y[c] = first ? x[c] : y[c] + x[c];
        }

        private readonly void Multiply(float* y, float factor)
        {
            var c = 0;
            for (; c + T.Width <= Channels; c += T.Width) T.Store(y + c, T.Load(y + c) * T.Broadcast(factor));
            for (; c < Channels; c++) y[c] *= factor;
        }
    }

    /// <summary>A stripe of channels of one sample over all of time, in double.</summary>
    private struct TargetStripes : IJob
    {
        public LayerAddresses Layers;
        public float* Y;
        public int LayerCount, Time, Channels;
        public double Eps;

        public readonly int Groups => (Channels + ChannelsPerChunk - 1) / ChannelsPerChunk;

        public readonly void Execute(int chunk, int worker)
        {
            var first = chunk % Groups * ChannelsPerChunk;
            var n = Math.Min(ChannelsPerChunk, Channels - first);
            var at = (long)(chunk / Groups) * Time * Channels + first;
            var mean = stackalloc double[ChannelsPerChunk];
            var scale = stackalloc double[ChannelsPerChunk];
            for (var k = 0; k < LayerCount; k++)
            {
                var x = (float*)Layers[k] + at;
                Statistics(x, n, mean, scale);
                for (var t = 0; t < Time; t++)
                {
                    var from = (long)t * Channels;
                    for (var c = 0; c < n; c++)
                    {
                        var value = (float)((x[from + c] - mean[c]) * scale[c]);
                        Y[at + from + c] = k == 0 ? value : Y[at + from + c] + value;
                    }
                }
            }
        }

        /// <summary>Means, and reciprocal deviations over the number of layers.</summary>
        private readonly void Statistics(float* x, int n, double* mean, double* scale)
        {
            new Span<double>(mean, n).Clear();
            new Span<double>(scale, n).Clear();
            for (var t = 0; t < Time; t++)
                for (var c = 0; c < n; c++) mean[c] += x[(long)t * Channels + c];
            for (var c = 0; c < n; c++) mean[c] /= Time;
            for (var t = 0; t < Time; t++)
            {
                for (var c = 0; c < n; c++)
                {
                    var d = x[(long)t * Channels + c] - mean[c];
                    scale[c] += d * d;
                }
            }
            for (var c = 0; c < n; c++) scale[c] = 1 / Math.Sqrt(scale[c] / Time + Eps) / LayerCount;
        }
    }
}
