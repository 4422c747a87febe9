using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void Conv1d(in Conv1dArgs a)
    {
        var type = ElementOf("Conv1d", a.X);
        var s = a.Shape;
        if (CudaConv1d.TakesSignal(a, type))
        {
            Launch(CudaConv1d.Signal, CudaConv1d.SignalGrid(s), 128, CudaConv1d.SignalOf(a), CudaConv1d.SignalBytes(s));
            return;
        }
        var product = ConvolutionOf(a);
        if (!InUnits(type, s.GroupOut)) product.End.Wide = 0;
        var isEven = InUnits(type, s.GroupIn) && Address(a.X) % 16 == 0 && Address(a.W) % 16 == 0;
        Multiply(type, isEven ? CudaConv1d.Forward : CudaConv1d.ForwardAny, ref product);
    }

    /// <inheritdoc/>
    public void Conv1dBackward(in Conv1dBackwardArgs a)
    {
        var type = ElementOf("Conv1dBackward", a.DY);
        var s = a.Shape;
        var rows = checked(s.Batch * s.OutTime);
        var slopes = Slopes(type, a.DY, a.PreActivation, a.Scratch, a.DBias, a.Activation, rows, s.Out,
            a.AccumulateBias);
        if (!a.DX.IsNone) InputGradient(type, s, slopes, a.W, a.DX);
        if (a.DW.IsNone) return;
        var inner = checked(s.Kernel * s.GroupIn);
        var end = MatrixEnd(a.DW, s.GroupOut, inner, a.AccumulateW);
        end.Wide = InUnits(a.DW, inner, s.GroupOut) && InUnits(type, (long)s.GroupOut * inner) ? 1 : 0;
        var product = new CudaProductArgs<CudaMatrix, CudaTapSignal>
        {
            Left = new() { Data = Address(slopes), LineStep = 1, InnerStep = s.Out },
            Right = TapsOf(a.X, s),
            End = end, Batch = CudaProductBatch.Of(s.Groups, s.GroupOut, s.GroupIn, (long)s.GroupOut * inner),
            M = s.GroupOut, N = inner, K = s.Time == 0 ? 0 : rows,
        };
        var (isEven, hasEvenSlopes) = (InUnits(type, s.GroupIn) && Address(a.X) % 16 == 0,
            InUnits(type, s.GroupOut) && Address(slopes) % 16 == 0);
        Multiply(type, !hasEvenSlopes ? CudaConv1d.WeightAny : isEven ? CudaConv1d.Weight : CudaConv1d.WeightOdd,
            ref product);
    }

    /// <summary>A product of rows of taps and weights.</summary>
    private static CudaProductArgs<CudaTapSignal, CudaMatrix> ConvolutionOf(in Conv1dArgs a)
    {
        var s = a.Shape;
        var rows = checked(s.Batch * s.OutTime);
        return new()
        {
            Left = TapsOf(a.X, s),
            Right = new() { Data = Address(a.W), LineStep = (long)s.Kernel * s.GroupIn, InnerStep = 1 },
            End = LayerEnd(a.Y, a.Bias, a.PreActivation, a.Activation, rows, s.Out),
            Batch = CudaProductBatch.Of(s.Groups, s.GroupIn, (long)s.GroupOut * s.Kernel * s.GroupIn, s.GroupOut),
            M = rows, N = s.GroupOut, K = TapCount(s),
        };
    }

    /// <summary>
    /// Input frames u with the same remainder of (u + Padding) / Stride see the same taps, Stride / gcd(Stride,
    /// Dilation) apart, at output frames that move by one with each of them: one product of rows of taps over dy for
    /// each remainder, every element of dx written once, and no product with zeros between frames.
    /// </summary>
    private void InputGradient(DType type, in Conv1dShape s, BufferView slopes, BufferView w, BufferView dx)
    {
        var tapStep = s.Stride / CommonDivisor(s.Stride, s.Dilation);
        for (var u = 0; u < Math.Min(s.Stride, s.Time); u++)
        {
            var first = 0;
            while (first < tapStep && ((long)first * s.Dilation - u - s.Padding) % s.Stride != 0) first++;
            var taps = first < tapStep && first < s.Kernel ? (s.Kernel - 1 - first) / tapStep + 1 : 0;
            var count = (s.Time - u - 1) / s.Stride + 1;
            var target = dx.At((long)u * s.In);
            var end = MatrixEnd(target, count, (long)s.Stride * s.In, false);
            end.SampleStep = (long)s.Time * s.In;
            end.Wide = Address(target) % 16 == 0 && InUnits(type, s.GroupIn) ? 1 : 0;
            var weights = w.At((long)(taps == 0 ? 0 : first) * s.GroupIn);
            var product = new CudaProductArgs<CudaTapSignal, CudaTurnedWeights>
            {
                Left = new()
                {
                    Data = Address(slopes), Rows = new Divisor(count), Width = new Divisor(s.GroupOut),
                    Time = s.OutTime,
                    Channels = s.Out, SampleSize = (long)s.OutTime * s.Out, RowStep = 1,
                    // Later taps come from earlier output frames.
                    Start = (int)((u + s.Padding - (long)first * s.Dilation) / s.Stride),
                    TapStep = -(int)((long)tapStep * s.Dilation / s.Stride),
                },
                Right = new()
                {
                    Data = Address(weights), Outs = new Divisor(s.GroupOut), OutStep = (long)s.Kernel * s.GroupIn,
                    TapStep = (long)tapStep * s.GroupIn,
                },
                End = end,
                Batch = CudaProductBatch.Of(s.Groups, s.GroupOut, (long)s.GroupOut * s.Kernel * s.GroupIn, s.GroupIn),
                M = checked(s.Batch * count), N = s.GroupIn, K = checked(taps * s.GroupOut),
            };
            var isEven = InUnits(type, s.GroupIn) && InUnits(type, s.GroupOut) && Address(slopes) % 16 == 0
                && Address(weights) % 16 == 0;
            Multiply(type, isEven ? CudaConv1d.Input : CudaConv1d.InputAny, ref product);
        }
    }

    private static int CommonDivisor(int a, int b) => b == 0 ? a : CommonDivisor(b, a % b);

    /// <summary>The rows of taps that the output frames see.</summary>
    private static CudaTapSignal TapsOf(BufferView x, in Conv1dShape s) => new()
    {
        Data = Address(x), Rows = new Divisor(s.OutTime), Width = new Divisor(s.GroupIn), Time = s.Time,
        Channels = s.In,
        SampleSize = (long)s.Time * s.In, Start = -s.Padding, RowStep = s.Stride, TapStep = s.Dilation,
    };

    /// <summary>Terms of a sum; none when there is nothing but padding.</summary>
    private static int TapCount(in Conv1dShape s) => s.Time == 0 ? 0 : checked(s.Kernel * s.GroupIn);

    /// <summary>So many elements are whole units of 16 bytes.</summary>
    private static bool InUnits(DType type, long elements) => elements * type.Size() % 16 == 0;
}

/// <summary>A convolution of one channel; kernels/common/signal.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaSignalArgs
{
    public ulong X, W, Bias, Sums, Y;
    public int Time, Frames, Out, Kernel, Stride, Padding, Dilation;
    public Activation Activation;
}

/// <summary>The kernels of kernels/conv1d.cu.</summary>
internal static class CudaConv1d
{
    public static readonly TypedSource Source = new("conv1d.cu");

    public static readonly CudaProductKernels<CudaTapSignal, CudaMatrix> Forward = new(Source, "conv1d_fwd");

    public static readonly CudaProductKernels<CudaTapSignal, CudaMatrix> ForwardAny = new(Source, "conv1d_fwd_any");

    /// <summary>The gradient of the input.</summary>
    public static readonly CudaProductKernels<CudaTapSignal, CudaTurnedWeights> Input = new(Source, "conv1d_bwd_input");

    public static readonly CudaProductKernels<CudaTapSignal, CudaTurnedWeights> InputAny =
        new(Source, "conv1d_bwd_input_any");

    /// <summary>The gradient of the weights.</summary>
    public static readonly CudaProductKernels<CudaMatrix, CudaTapSignal> Weight = new(Source, "conv1d_bwd_weight");

    public static readonly CudaProductKernels<CudaMatrix, CudaTapSignal> WeightAny =
        new(Source, "conv1d_bwd_weight_any");

    /// <summary>The same where only dy lies in whole units: few channels in.</summary>
    public static readonly CudaProductKernels<CudaMatrix, CudaTapSignal> WeightOdd =
        new(Source, "conv1d_bwd_weight_odd");

    /// <summary>One channel to many, bfloat16.</summary>
    public static readonly CudaKernel<CudaSignalArgs> Signal = new(Source.Brain, "conv1d_fwd_signal", MostSignalBytes);

    /// <summary>Frames of a block of <see cref="Signal"/>.</summary>
    public const int SignalFrames = 64;

    /// <summary>What the frames of a block see at most.</summary>
    public const int MostSignalBytes = 48 * 1024;

    public static IEnumerable<CudaKernel> All =>
    [
        .. Forward.All, .. ForwardAny.All, .. Input.All, .. InputAny.All, .. Weight.All, .. WeightAny.All,
        .. WeightOdd.All, Signal, .. CudaConv1dNorm.All,
    ];

    /// <summary>A convolution of a signal to whole runs of 128 channels, by at most 16 taps.</summary>
    public static bool TakesSignal(in Conv1dArgs a, DType type)
    {
        var s = a.Shape;
        return type == DType.BFloat16 && s is { In: 1, Kernel: <= 16 } && s.Out % 128 == 0 && s.Batch <= ushort.MaxValue
            && SignalBytes(s) <= MostSignalBytes && CudaBackend.Address(a.Y) % 16 == 0
            && CudaBackend.Address(a.PreActivation) % 16 == 0 && CudaBackend.Address(a.Bias) % 16 == 0;
    }

    public static CudaSignalArgs SignalOf(in Conv1dArgs a) => new()
    {
        X = CudaBackend.Address(a.X), W = CudaBackend.Address(a.W), Bias = CudaBackend.Address(a.Bias),
        Sums = CudaBackend.Address(a.PreActivation), Y = CudaBackend.Address(a.Y), Time = a.Shape.Time,
        Frames = a.Shape.OutTime, Out = a.Shape.Out, Kernel = a.Shape.Kernel, Stride = a.Shape.Stride,
        Padding = a.Shape.Padding, Dilation = a.Shape.Dilation, Activation = a.Activation,
    };

    /// <summary>Runs of frames, samples, and runs of 512 channels.</summary>
    public static Dim3 SignalGrid(in Conv1dShape s) =>
        new((s.OutTime + SignalFrames - 1) / SignalFrames, s.Batch, (s.Out + 511) / 512);

    /// <summary>What the frames of a block see.</summary>
    public static int SignalBytes(in Conv1dShape s) => (int)Math.Min(
        int.MaxValue, (((SignalFrames - 1L) * s.Stride) + s.Field) * sizeof(ushort));
}
