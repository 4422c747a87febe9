using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    /// <summary>
    /// Multiply-adds below which a region costs more than it saves; the result is the same either way.
    /// </summary>
    private const double WorthARegion = 64 * 1024;

    /// <inheritdoc/>
    public void Conv1dLayerNorm(in Conv1dLayerNormArgs a) => Conv1dThenLayerNorm.Run(this, a);

    public void Conv1d(in Conv1dArgs a)
    {
        var s = a.Shape;
        var weights = new TapWeights
        {
            W = F(a.W), Shape = s, Columns = s.GroupOut, Inner = s.Kernel * s.GroupIn, Taps = s.Kernel, TapStep = 1,
        };
        var product = new TapProduct
        {
            Rows = new TapRows
            {
                Signal = F(a.X), Time = s.Time, Channels = s.In, Width = s.GroupIn, Taps = s.Kernel,
                Start = -s.Padding, RowStep = s.Stride, TapStep = s.Dilation,
            },
            Samples = s.Batch, Groups = s.Groups, Count = s.OutTime, Columns = s.GroupOut,
            Y = F(a.Y), YSample = (long)s.OutTime * s.Out, YRow = s.Out,
            Sums = F(a.PreActivation), Bias = F(a.Bias), Activation = a.Activation,
        };
        Multiply(weights, product);
    }

    public void Conv1dBackward(in Conv1dBackwardArgs a)
    {
        var s = a.Shape;
        var slopes = F(a.DY);
        if (a.Activation != Activation.None)
        {
            UnaryBackward(new UnaryBackwardArgs
            {
                Op = a.Activation == Activation.Gelu ? UnaryOp.Gelu : UnaryOp.GeluTanh,
                X = a.PreActivation, DY = a.DY, DX = a.Scratch, Count = s.OutputCount,
            });
            slopes = F(a.Scratch);
        }
        if (!a.DX.IsNone) InputGradient(s, slopes, F(a.W), F(a.DX));
        if (!a.DW.IsNone) WeightGradient(s, slopes, F(a.X), F(a.DW), a.AccumulateW);
        if (a.DBias.IsNone) return;
        var sums = new BiasRange
        {
            G = slopes, DBias = F(a.DBias), Rows = s.Batch * s.OutTime, Columns = s.Out, Accumulate = a.AccumulateBias,
        };
        ForRanges(ref sums, s.Out, 64);
    }

    /// <summary>
    /// Input frames u with the same remainder of (u + Padding) / Stride see the same taps, Stride / gcd(Stride,
    /// Dilation) apart, at output frames that move by one with each of them: one product of rows of taps over dy for
    /// each remainder, every element of dx written once.
    /// </summary>
    private void InputGradient(in Conv1dShape s, float* slopes, float* w, float* dx)
    {
        var tapStep = s.Stride / (int)Gcd(s.Stride, s.Dilation);
        for (var u = 0; u < Math.Min(s.Stride, s.Time); u++)
        {
            var first = 0;
            while (first < tapStep && ((long)first * s.Dilation - u - s.Padding) % s.Stride != 0) first++;
            var taps = first < tapStep && first < s.Kernel ? (s.Kernel - 1 - first) / tapStep + 1 : 0;
            var last = first + (taps - 1) * tapStep;
            var weights = new TapWeights
            {
                W = w, Shape = s, Columns = s.GroupIn, Inner = taps * s.GroupOut, Taps = taps, LastTap = last,
                TapStep = tapStep, Transposed = true,
            };
            var product = new TapProduct
            {
                Rows = new TapRows
                {
                    // The last tap comes from the earliest output frame.
                    Signal = slopes, Time = s.OutTime, Channels = s.Out, Width = s.GroupOut, Taps = taps,
                    Start = (u + s.Padding - (long)last * s.Dilation) / s.Stride, RowStep = 1,
                    TapStep = (long)tapStep * s.Dilation / s.Stride,
                },
                Samples = s.Batch, Groups = s.Groups, Count = (s.Time - u - 1) / s.Stride + 1, Columns = s.GroupIn,
                Y = dx + (long)u * s.In, YSample = (long)s.Time * s.In, YRow = (long)s.Stride * s.In,
            };
            Multiply(weights, product);
        }
    }

    private static long Gcd(long a, long b) => b == 0 ? a : Gcd(b, a % b);

    private void Multiply(TapWeights weights, TapProduct product)
    {
        var work = (double)product.Samples * product.Groups * product.Count * product.Columns * weights.Inner;
        product.Packed = weights.Packed = shared.Floats(weights.Size);
        product.Scratch = scratch;
        product.Cut();
        Region(ref weights, weights.Shape.Groups * weights.Panels, work);
        Region(ref product, product.Chunks, work);
    }

    /// <summary>Chunks on the workers, or here when there is too little to do.</summary>
    private void Region<TJob>(ref TJob job, int chunks, double work)
        where TJob : struct, IJob
    {
        if (work > WorthARegion)
        {
            pool.Run(ref job, chunks);
            return;
        }
        for (var i = 0; i < chunks; i++) job.Execute(i, 0);
    }
}
