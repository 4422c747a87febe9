using System.Numerics;
using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    /// <summary>Rows whose parameter gradients are summed together before the sums are added in order.</summary>
    private const int RowsPerPartialSum = 64;

    /// <summary>Columns whose sums are added by one worker.</summary>
    private const int ColumnsPerChunk = 256;

    public void LayerNorm(in LayerNormArgs a)
    {
        var job = new LayerNormRange
        {
            X = F(a.X), Residual = F(a.Residual), Gamma = F(a.Gamma), Beta = F(a.Beta), Y = F(a.Y), Sum = F(a.Sum),
            Mean = F(a.Mean), Rstd = F(a.Rstd), Columns = a.Columns, Eps = (float)a.Eps, Bits = KeepBits.Of(a.Dropout),
            Activation = a.Activation,
        };
        job.Fused = job.Residual is not null || job.Bits.IsActive;
        ForRanges(ref job, a.Rows, RowsPerChunk(a.Columns));
    }

    public void LayerNormBackward(in LayerNormBackwardArgs a)
    {
        var wantsSums = !a.DGamma.IsNone || !a.DBeta.IsNone;
        var chunks = (a.Rows + RowsPerPartialSum - 1) / RowsPerPartialSum;
        var job = new LayerNormBackwardRange
        {
            Sum = F(a.Sum), Mean = F(a.Mean), Rstd = F(a.Rstd), Gamma = F(a.Gamma), Beta = F(a.Beta), DY = F(a.DY),
            DX = F(a.DX), DResidual = F(a.DResidual), Columns = a.Columns, Bits = KeepBits.Of(a.Dropout),
            Activation = a.Activation, Scratch = scratch,
            Partial = wantsSums ? shared.Floats(chunks * 2 * a.Columns) : null,
        };
        ForRanges(ref job, a.Rows, RowsPerPartialSum);
        if (!wantsSums) return;
        AddPartials(job.Partial, chunks, a.Columns, F(a.DGamma), a.AccumulateGamma);
        AddPartials(job.Partial + a.Columns, chunks, a.Columns, F(a.DBeta), a.AccumulateBeta);
    }

    private void AddPartials(float* partial, long chunks, int columns, float* target, bool accumulate)
    {
        if (target is null) return;
        var sums = new PartialSums
        {
            Partial = partial, Chunks = chunks, Stride = 2L * columns, Target = target, Accumulate = accumulate,
        };
        ForRanges(ref sums, columns, ColumnsPerChunk);
    }

    /// <summary>
    /// target (+)= sum of the chunks' partial rows, in chunk order and in double whatever the width of a vector.
    /// </summary>
    private struct PartialSums : IRange
    {
        public float* Partial, Target;
        public long Chunks, Stride;
        public bool Accumulate;

        public readonly void Run(long start, long end, int worker)
        {
            var c = start;
            for (; c + Vector<float>.Count <= end; c += Vector<float>.Count)
            {
                var (low, high) = (Vector<double>.Zero, Vector<double>.Zero);
                for (long i = 0; i < Chunks; i++)
                {
                    Vector.Widen(Vector.Load(Partial + i * Stride + c), out var l, out var h);
                    low += l;
                    high += h;
                }
                if (Accumulate)
                {
                    Vector.Widen(Vector.Load(Target + c), out var l, out var h);
                    low += l;
                    high += h;
                }
                Vector.Store(Vector.Narrow(low, high), Target + c);
            }
            for (; c < end; c++)
            {
                double sum = 0;
                for (long i = 0; i < Chunks; i++) sum += Partial[i * Stride + c];
                Target[c] = (float)(Accumulate ? sum + Target[c] : sum);
            }
        }
    }

    private struct LayerNormRange : IRange
    {
        public float* X, Residual, Gamma, Beta, Y, Sum, Mean, Rstd;
        public int Columns;
        public float Eps;
        public bool Fused;
        public KeepBits Bits;
        public Activation Activation;

        public readonly void Run(long start, long end, int worker)
        {
            for (var r = start; r < end; r++)
            {
                var at = r * Columns;
                var s = X + at;
                if (Fused)
                {
                    s = Sum + at;
                    Bits.Apply(X + at, s, at, Columns);
                    if (Residual is not null) AddTo(s, Residual + at);
                }
                var mean = SumOf(s) / Columns;
                var rstd = 1 / MathF.Sqrt(SquaresAround(s, mean) / Columns + Eps);
                Write(s, Y + at, mean, rstd);
                if (Activation != Activation.None) Activate(Y + at);
                if (Mean is not null) Mean[r] = mean;
                if (Rstd is not null) Rstd[r] = rstd;
            }
        }

        private readonly void AddTo(float* s, float* residual)
        {
            var c = 0;
            for (; c + T.Width <= Columns; c += T.Width) T.Store(s + c, T.Load(s + c) + T.Load(residual + c));
            for (; c < Columns; c++) s[c] += residual[c];
        }

        /// <summary>A second pass over the row while it is in the nearest cache.</summary>
        private readonly void Activate(float* y)
        {
            var c = 0;
            for (; c + T.Width <= Columns; c += T.Width) T.Store(y + c, Activated(Activation, T.Load(y + c)));
            if (c < Columns) T.StoreFirst(y + c, Activated(Activation, T.LoadFirst(y + c, Columns - c)), Columns - c);
        }

        private readonly float SumOf(float* s)
        {
            // Around the first element, so that a large common offset costs no digits of the mean.
            var origin = s[0];
            var o = T.Broadcast(origin);
            var lanes = T.Broadcast(0);
            var c = 0;
            for (; c + T.Width <= Columns; c += T.Width) lanes += T.Load(s + c) - o;
            var sum = T.Sum(lanes);
            for (; c < Columns; c++) sum += s[c] - origin;
            return sum + origin * Columns;
        }

        private readonly float SquaresAround(float* s, float mean)
        {
            var m = T.Broadcast(mean);
            var lanes = T.Broadcast(0);
            var c = 0;
            for (; c + T.Width <= Columns; c += T.Width)
            {
                var d = T.Load(s + c) - m;
                lanes = T.MultiplyAdd(d, d, lanes);
            }
            var sum = T.Sum(lanes);
            for (; c < Columns; c++) sum += (s[c] - mean) * (s[c] - mean);
            return sum;
        }

        private readonly void Write(float* s, float* y, float mean, float rstd)
        {
            var (m, k) = (T.Broadcast(mean), T.Broadcast(rstd));
            var c = 0;
            for (; c + T.Width <= Columns; c += T.Width)
            {
                var h = (T.Load(s + c) - m) * k;
                if (Gamma is not null) h *= T.Load(Gamma + c);
                if (Beta is not null) h += T.Load(Beta + c);
                T.Store(y + c, h);
            }
            for (; c < Columns; c++)
            {
                var h = (s[c] - mean) * rstd;
                if (Gamma is not null) h *= Gamma[c];
                if (Beta is not null) h += Beta[c];
                y[c] = h;
            }
        }
    }

    private struct LayerNormBackwardRange : IRange
    {
        public float* Sum, Mean, Rstd, Gamma, Beta, DY, DX, DResidual, Partial;
        public int Columns;
        public KeepBits Bits;
        public Activation Activation;
        public NativeScratch[] Scratch;

        public readonly void Run(long start, long end, int worker)
        {
            var dGamma = Partial is null ? null : Partial + start / RowsPerPartialSum * 2 * Columns;
            var dBeta = dGamma + Columns;
            if (dGamma is not null) new Span<float>(dGamma, 2 * Columns).Clear();
            for (var r = start; r < end; r++)
            {
                var at = r * Columns;
                var dy = DY + at;
                if (Activation != Activation.None)
                {
                    dy = Scratch[worker].Floats(Columns);
                    Unactivate(Sum + at, DY + at, dy, Mean[r], Rstd[r]);
                }
                var (meanG, meanGH) = Means(Sum + at, dy, Mean[r], Rstd[r], dGamma, dBeta);
                var to = DResidual is not null ? DResidual + at : DX is not null ? DX + at : null;
                if (to is null) continue;
                Slopes(Sum + at, dy, to, Mean[r], Rstd[r], meanG, meanGH);
                if (DX is not null && (to != DX + at || Bits.IsActive)) Bits.Apply(to, DX + at, at, Columns);
            }
        }

        /// <summary>
        /// The gradient before the activation, whose argument is computed again as the forward call did.
        /// </summary>
        private readonly void Unactivate(float* s, float* dy, float* to, float mean, float rstd)
        {
            var (m, k) = (T.Broadcast(mean), T.Broadcast(rstd));
            var c = 0;
            for (; c + T.Width <= Columns; c += T.Width)
            {
                var h = (T.Load(s + c) - m) * k;
                if (Gamma is not null) h *= T.Load(Gamma + c);
                if (Beta is not null) h += T.Load(Beta + c);
                T.Store(to + c, T.Load(dy + c) * ActivationSlope(h));
            }
            var rest = Columns - c;
            if (rest == 0) return;
            var last = (T.LoadFirst(s + c, rest) - m) * k;
            if (Gamma is not null) last *= T.LoadFirst(Gamma + c, rest);
            if (Beta is not null) last += T.LoadFirst(Beta + c, rest);
            T.StoreFirst(to + c, T.LoadFirst(dy + c, rest) * ActivationSlope(last), rest);
        }

        private readonly T ActivationSlope(T x) =>
            Activation == Activation.Gelu ? LaneMath<T>.GeluSlope(x) : LaneMath<T>.GeluTanhSlope(x);

        private readonly (float G, float GH) Means(
            float* s, float* dy, float mean, float rstd, float* dGamma, float* dBeta)
        {
            var (m, k) = (T.Broadcast(mean), T.Broadcast(rstd));
            var (sumG, sumGH) = (T.Broadcast(0), T.Broadcast(0));
            var c = 0;
            for (; c + T.Width <= Columns; c += T.Width)
            {
                var h = (T.Load(s + c) - m) * k;
                var g = T.Load(dy + c);
                if (dGamma is not null)
                {
                    T.Store(dGamma + c, T.MultiplyAdd(g, h, T.Load(dGamma + c)));
                    T.Store(dBeta + c, T.Load(dBeta + c) + g);
                }
                if (Gamma is not null) g *= T.Load(Gamma + c);
                sumG += g;
                sumGH = T.MultiplyAdd(g, h, sumGH);
            }
            var (g1, gh1) = (T.Sum(sumG), T.Sum(sumGH));
            for (; c < Columns; c++)
            {
                var h = (s[c] - mean) * rstd;
                var g = dy[c];
                if (dGamma is not null)
                {
                    dGamma[c] += g * h;
                    dBeta[c] += g;
                }
                if (Gamma is not null) g *= Gamma[c];
                g1 += g;
                gh1 += g * h;
            }
            return (g1 / Columns, gh1 / Columns);
        }

        private readonly void Slopes(
            float* s, float* dy, float* ds, float mean, float rstd, float meanG, float meanGH)
        {
            var (m, k) = (T.Broadcast(mean), T.Broadcast(rstd));
            var (mg, mgh) = (T.Broadcast(meanG), T.Broadcast(meanGH));
            var c = 0;
            for (; c + T.Width <= Columns; c += T.Width)
            {
                var h = (T.Load(s + c) - m) * k;
                var g = T.Load(dy + c);
                if (Gamma is not null) g *= T.Load(Gamma + c);
                T.Store(ds + c, (g - mg - h * mgh) * k);
            }
            for (; c < Columns; c++)
            {
                var h = (s[c] - mean) * rstd;
                var g = Gamma is null ? dy[c] : dy[c] * Gamma[c];
                ds[c] = rstd * (g - meanG - h * meanGH);
            }
        }
    }
}
