using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Conv1dLayerNorm(in Conv1dLayerNormArgs a) => Conv1dThenLayerNorm.Run(this, a);

    /// <inheritdoc/>
    public void Conv1d(in Conv1dArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("Conv1d", a.X.DType);

        void Run<T>(in Conv1dArgs a)
            where T : unmanaged, IElement<T>
        {
            var s = a.Shape;
            var rows = checked(s.Batch * s.OutTime);
            var product = new ProductArgs<T, TapLines<T>, StridedOperand<T>>
            {
                Left = new() { Signal = TapsOf<T>(a.X, s) },
                Right = new() { Data = View<T>(a.W), LineStride = (long)s.Kernel * s.GroupIn, InnerStride = 1 },
                End = LayerEnd<T>(a.Y, a.Bias, a.PreActivation, a.Activation, rows, s.Out),
                Batch = Groups(s.Groups, s.GroupIn, (long)s.GroupOut * s.Kernel * s.GroupIn, s.GroupOut),
                BatchCount = s.Groups, M = rows, N = s.GroupOut, K = TapCount(s),
            };
            Multiply(Conv1dKernels<T>.Forward, ref product);
        }
    }

    /// <inheritdoc/>
    public void Conv1dBackward(in Conv1dBackwardArgs a)
    {
        if (a.DY.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.DY.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("Conv1dBackward", a.DY.DType);

        void Run<T>(in Conv1dBackwardArgs a)
            where T : unmanaged, IElement<T>
        {
            var s = a.Shape;
            var rows = checked(s.Batch * s.OutTime);
            var slopes = Slopes<T>(
                a.DY, a.PreActivation, a.Scratch, a.DBias, a.Activation, rows, s.Out, a.AccumulateBias);
            if (!a.DX.IsNone) InputGradient<T>(s, slopes, a.W, a.DX);
            if (a.DW.IsNone) return;
            var inner = checked(s.Kernel * s.GroupIn);
            var product = new ProductArgs<T, StridedOperand<T>, TapInners<T>>
            {
                Left = new() { Data = View<T>(slopes), LineStride = 1, InnerStride = s.Out },
                Right = new() { Signal = TapsOf<T>(a.X, s) },
                End = MatrixEnd<T>(a.DW, s.GroupOut, inner, a.AccumulateW),
                Batch = Groups(s.Groups, s.GroupOut, s.GroupIn, (long)s.GroupOut * inner),
                BatchCount = s.Groups, M = s.GroupOut, N = inner, K = s.Time == 0 ? 0 : rows,
            };
            Multiply(Conv1dKernels<T>.Weights, ref product);
        }
    }

    /// <summary>
    /// Input frames u with the same remainder of (u + Padding) / Stride see the same taps, Stride / gcd(Stride,
    /// Dilation) apart, at output frames that move by one with each of them: one product of rows of taps over dy
    /// for each remainder, every element of dx written once.
    /// </summary>
    private void InputGradient<T>(in Conv1dShape s, BufferView slopes, BufferView w, BufferView dx)
        where T : unmanaged, IElement<T>
    {
        var tapStep = s.Stride / CommonDivisor(s.Stride, s.Dilation);
        for (var u = 0; u < Math.Min(s.Stride, s.Time); u++)
        {
            var first = 0;
            while (first < tapStep && ((long)first * s.Dilation - u - s.Padding) % s.Stride != 0) first++;
            var taps = first < tapStep && first < s.Kernel ? (s.Kernel - 1 - first) / tapStep + 1 : 0;
            var count = (s.Time - u - 1) / s.Stride + 1;
            var end = MatrixEnd<T>(dx.At((long)u * s.In), count, (long)s.Stride * s.In, false);
            end.SampleStep = (long)s.Time * s.In;
            var product = new ProductArgs<T, TapLines<T>, TurnedWeights<T>>
            {
                Left = new()
                {
                    Signal = new()
                    {
                        Data = View<T>(slopes), Rows = new Divisor(count), Width = new Divisor(s.GroupOut),
                        Time = s.OutTime, Channels = s.Out, SampleSize = (long)s.OutTime * s.Out,
                        // Later taps come from earlier output frames.
                        Start = (int)((u + s.Padding - (long)first * s.Dilation) / s.Stride), RowStep = 1,
                        TapStep = -(int)((long)tapStep * s.Dilation / s.Stride),
                    },
                },
                Right = new()
                {
                    Data = View<T>(w.At((long)(taps == 0 ? 0 : first) * s.GroupIn)),
                    Outs = new Divisor(s.GroupOut), OutStep = (long)s.Kernel * s.GroupIn,
                    TapStep = (long)tapStep * s.GroupIn,
                },
                End = end,
                Batch = Groups(s.Groups, s.GroupOut, (long)s.GroupOut * s.Kernel * s.GroupIn, s.GroupIn),
                BatchCount = s.Groups, M = checked(s.Batch * count), N = s.GroupIn, K = checked(taps * s.GroupOut),
            };
            Multiply(Conv1dKernels<T>.Input, ref product);
        }
    }

    private static int CommonDivisor(int a, int b) => b == 0 ? a : CommonDivisor(b, a % b);

    /// <summary>The rows of taps that the output frames see.</summary>
    private static TapSignal<T> TapsOf<T>(BufferView x, in Conv1dShape s)
        where T : unmanaged, IElement<T> => new()
        {
            Data = View<T>(x), Rows = new Divisor(s.OutTime), Width = new Divisor(s.GroupIn), Time = s.Time,
            Channels = s.In, SampleSize = (long)s.Time * s.In, Start = -s.Padding, RowStep = s.Stride,
            TapStep = s.Dilation,
        };

    /// <summary>Terms of a sum; none when there is nothing but padding.</summary>
    private static int TapCount(in Conv1dShape s) => s.Time == 0 ? 0 : checked(s.Kernel * s.GroupIn);

    /// <summary>Groups as the batch of a product.</summary>
    private static DeviceLayout Groups(int groups, long left, long right, long c)
    {
        static Strides Of(long step)
        {
            var strides = default(Strides);
            strides[0] = step;
            return strides;
        }
        return DeviceLayout.Of(new Shape(groups), Of(left), Of(right), Of(c));
    }
}

internal static class Conv1dKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        Conv1dKernels<Full>.Forward.Large, Conv1dKernels<Full>.Forward.Small, Conv1dKernels<Full>.Input.Large,
        Conv1dKernels<Full>.Input.Small, Conv1dKernels<Full>.Weights.Large, Conv1dKernels<Full>.Weights.Small,
        Conv1dKernels<Brain>.Forward.Large, Conv1dKernels<Brain>.Forward.Small, Conv1dKernels<Brain>.Input.Large,
        Conv1dKernels<Brain>.Input.Small, Conv1dKernels<Brain>.Weights.Large, Conv1dKernels<Brain>.Weights.Small,
    ];
}

internal static class Conv1dKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly ProductPair<T, TapLines<T>, StridedOperand<T>> Forward = new("conv1d_fwd");

    /// <summary>The gradient of the input.</summary>
    public static readonly ProductPair<T, TapLines<T>, TurnedWeights<T>> Input = new("conv1d_bwd input");

    /// <summary>The gradient of the weights.</summary>
    public static readonly ProductPair<T, StridedOperand<T>, TapInners<T>> Weights = new("conv1d_bwd weights");
}
