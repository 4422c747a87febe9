using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>How a one-dimensional convolution walks over its input.</summary>
/// <param name="Stride">Input frames from one output frame to the next, at least 1.</param>
/// <param name="Padding">Frames of zeros before and after the input.</param>
/// <param name="Dilation">Input frames from one tap to the next, at least 1.</param>
/// <param name="Groups">Parts of the channels that do not see each other; divides both numbers of channels.</param>
public sealed record Conv1dOptions(int Stride = 1, int Padding = 0, int Dilation = 1, int Groups = 1)
{
    /// <summary>Stride 1, no padding, no dilation, one group.</summary>
    public static Conv1dOptions Default { get; } = new();

    /// <summary>
    /// Frames of the output: floor((time + 2 Padding - Dilation * (kernel - 1) - 1) / Stride) + 1, or 0 when the kernel
    /// does not fit.
    /// </summary>
    public int OutputTime(int time, int kernel)
    {
        var room = time + 2L * Padding - (long)Dilation * (kernel - 1) - 1;
        return room < 0 ? 0 : checked((int)(room / Stride + 1));
    }
}

public static partial class Ops
{
    /// <summary>
    /// Convolution over time, channels last: y[b, t, o] = activation(bias[o] + sum over k, c of x[b, t * stride -
    /// padding + k * dilation, c] * weight[o, k, c]), c over the channels of o's group, 0 outside of x. Backward saves
    /// x, weight and, with an activation, the sums before it.
    /// </summary>
    /// <param name="x">[B, T, In].</param>
    /// <param name="weight">[Out, kernel, In / groups].</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="options">Stride, padding, dilation, groups; null = <see cref="Conv1dOptions.Default"/>.</param>
    /// <param name="activation">Applied to the sums in the same pass.</param>
    /// <returns>[B, <see cref="Conv1dOptions.OutputTime"/>, Out].</returns>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit, or the input is shorter than the
    /// kernel.</exception>
    public static Tensor Conv1d(
        Tensor x, Tensor weight, Tensor? bias = null, Conv1dOptions? options = null,
        Activation activation = Activation.None)
    {
        var s = ConvolutionOf("Conv1d", x, weight, bias, options ?? Conv1dOptions.Default);
        var device = x.Device;
        var tape = Tape.Of(x, weight, bias);
        var shape = new Shape(s.Batch, s.OutTime, s.Out);
        var y = device.Allocate(shape, x.DType);
        var keepSums = tape is not null && activation != Activation.None;
        var sums = keepSums ? device.Allocate(shape, x.DType) : default;
        var args = new Conv1dArgs
        {
            X = x.View,
            W = weight.View,
            Bias = bias?.View ?? default,
            PreActivation = sums.View,
            Y = y.View,
            Shape = s,
            Activation = activation,
        };
        args.Check();
        device.Backend.Conv1d(args);
        if (tape is null) return new Tensor(y, "Conv1d");
        return new Tensor(y, "Conv1d", tape.Record(
            new Conv1dNode(tape, x.Ref.Retain(), weight.Ref.Retain(), sums, s, activation)
            {
                X = x.Node,
                W = weight.Node,
                Bias = bias?.Node,
            }));
    }

    /// <summary>Refuses operands that do not fit together; gives the extents.</summary>
    private static Conv1dShape ConvolutionOf(string op, Tensor x, Tensor weight, Tensor? bias, Conv1dOptions options)
    {
        Refuse.NotFloat(op, x);
        Refuse.OtherDevices(op, x, weight, bias);
        Refuse.OtherTypes(op, x, weight, bias);
        Refuse.Unless(x.Shape.Rank == 3 && weight.Shape.Rank == 3,
            $"{op}: x must be [batch, time, channels] and weight [out, kernel, in / groups]; got x {x.Shape}, "
            + $"weight {weight.Shape}.");
        var s = new Conv1dShape(x.Shape[0], x.Shape[1], x.Shape[2], weight.Shape[0], weight.Shape[1], options.Stride,
            options.Padding, options.Dilation, options.Groups);
        s.Check(op);
        Refuse.Unless(weight.Shape[2] == s.GroupIn,
            $"{op}: weight must have {s.GroupIn} input channels for x {x.Shape} in {s.Groups} groups; "
            + $"got weight {weight.Shape}.");
        Refuse.Unless(bias is null || bias.Shape == new Shape(s.Out),
            $"{op}: bias must have shape ({s.Out}) to match weight {weight.Shape}; got {bias?.Shape}.");
        return s;
    }

    private sealed class Conv1dNode(
        Tape tape, TensorRef x, TensorRef w, TensorRef sums, Conv1dShape shape, Activation activation)
        : Node(tape, "Conv1d")
    {
        public Node? X { get; init; }

        public Node? W { get; init; }

        public Node? Bias { get; init; }

        protected override void Backward(TensorRef dy)
        {
            var alone = activation != Activation.None && dy.Storage!.IsExclusive;
            var scratch = activation == Activation.None ? default : alone ? dy : Tape.Device.Allocate(dy.Shape, dy.DType);
            var dx = X.OpenIfTracked(x.Shape, x.DType);
            var dw = W.OpenIfTracked(w.Shape, w.DType, canAccumulate: true);
            var dBias = Bias.OpenIfTracked(new Shape(shape.Out), w.DType, canAccumulate: true);
            var args = new Conv1dBackwardArgs
            {
                X = x.Unchanged(Op),
                W = w.Unchanged(Op),
                PreActivation = sums.View,
                DY = dy.View,
                Scratch = scratch.View,
                DX = dx.View,
                DW = dw.View,
                DBias = dBias.View,
                Shape = shape,
                Activation = activation,
                AccumulateW = dw.Accumulate,
                AccumulateBias = dBias.Accumulate,
            };
            args.Check();
            Backend.Conv1dBackward(args);
            if (!alone) scratch.Release();
            dx.Commit();
            dw.Commit();
            dBias.Commit();
        }

        protected override void Release()
        {
            x.Release();
            w.Release();
            sums.Release();
        }
    }
}
