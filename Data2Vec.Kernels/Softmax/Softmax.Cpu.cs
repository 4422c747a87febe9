using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void Softmax(in SoftmaxArgs a)
    {
        var job = new SoftmaxRange { X = F(a.X), Y = F(a.Y), Length = a.Length, Inner = a.Inner, Log = a.Log };
        ForRanges(ref job, a.Outer * a.Inner, RowsPerChunk(a.Length));
    }

    public void SoftmaxBackward(in SoftmaxBackwardArgs a)
    {
        var job = new SoftmaxRange
        {
            X = F(a.Y), DY = F(a.DY), Y = F(a.DX), Length = a.Length, Inner = a.Inner, Log = a.Log, Backward = true,
        };
        ForRanges(ref job, a.Outer * a.Inner, RowsPerChunk(a.Length));
    }

    private struct SoftmaxRange : IRange
    {
        public float* X, DY, Y;
        public int Length;
        public long Inner;
        public bool Log, Backward;

        public readonly void Run(long start, long end, int worker)
        {
            for (var row = start; row < end; row++)
            {
                var at = row / Inner * Length * Inner + row % Inner;
                if (Backward) Gradient(X + at, DY + at, Y + at);
                else Forward(X + at, Y + at);
            }
        }

        private readonly void Forward(float* x, float* y)
        {
            var max = float.NegativeInfinity;
            for (long i = 0; i < Length; i++) max = MathF.Max(max, x[i * Inner]);
            double sum = 0;
            for (long i = 0; i < Length; i++) sum += Exp(x[i * Inner] - max);
            var log = (float)Math.Log(sum);
            for (long i = 0; i < Length; i++)
                y[i * Inner] = Log ? x[i * Inner] - max - log : (float)(Exp(x[i * Inner] - max) / sum);
        }

        private readonly void Gradient(float* y, float* dy, float* dx)
        {
            double sum = 0;
            for (long i = 0; i < Length; i++) sum += (double)dy[i * Inner] * (Log ? 1 : y[i * Inner]);
            for (long i = 0; i < Length; i++)
            {
                var at = i * Inner;
                dx[at] = Log ? (float)(dy[at] - Math.Exp(y[at]) * sum) : (float)(y[at] * (dy[at] - sum));
            }
        }

        private static double Exp(float x) => Math.Exp(x);
    }
}
