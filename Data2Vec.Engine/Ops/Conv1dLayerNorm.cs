using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// activation(LayerNorm(Conv1d(x, weight, bias))) over the channels, in one pass where the device has a kernel for it: a layer
    /// of a speech model's feature encoder. Backward is that of the two; it saves x, weight, the convolution and two statistics
    /// of each of its rows, and without gradients the convolution is not kept at all.
    /// </summary>
    /// <param name="x">[B, T, In].</param>
    /// <param name="weight">[Out, kernel, In / groups].</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="gamma">[Out], or null for no scale.</param>
    /// <param name="beta">[Out], or null for no shift.</param>
    /// <param name="options">Stride, padding, dilation, groups; null = <see cref="Conv1dOptions.Default"/>.</param>
    /// <param name="eps">Added to the biased variance.</param>
    /// <param name="activation">Applied to the normalised values.</param>
    /// <returns>[B, <see cref="Conv1dOptions.OutputTime"/>, Out].</returns>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit, or the input is shorter than the
    /// kernel.</exception>
    public static Tensor Conv1dLayerNorm(
        Tensor x, Tensor weight, Tensor? bias, Tensor? gamma, Tensor? beta, Conv1dOptions? options = null, double eps = 1e-5,
        Activation activation = Activation.None)
    {
        const string Op = "Conv1dLayerNorm";
        var s = ConvolutionOf(Op, x, weight, bias, options ?? Conv1dOptions.Default);
        Refuse.OtherDevices(Op, x, gamma, beta);
        Refuse.OtherTypes(Op, x, gamma, beta);
        Refuse.Unless(gamma is null || gamma.Shape == new Shape(s.Out),
            $"{Op}: gamma must have shape ({s.Out}) to match weight {weight.Shape}; got {gamma?.Shape}.");
        Refuse.Unless(beta is null || beta.Shape == new Shape(s.Out),
            $"{Op}: beta must have shape ({s.Out}) to match weight {weight.Shape}; got {beta?.Shape}.");
        var device = x.Device;
        var tape = Tape.Of(x, weight, bias, gamma, beta);
        var shape = new Shape(s.Batch, s.OutTime, s.Out);
        var rows = new Shape(checked(s.Batch * s.OutTime));
        var statistics = x.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        var y = device.Allocate(shape, x.DType);
        var sum = tape is null ? default : device.Allocate(shape, x.DType);
        var mean = tape is null ? default : device.Allocate(rows, statistics);
        var rstd = tape is null ? default : device.Allocate(rows, statistics);
        var args = new Conv1dLayerNormArgs
        {
            X = x.View,
            W = weight.View,
            Bias = bias?.View ?? default,
            Sum = sum.View,
            Gamma = gamma?.View ?? default,
            Beta = beta?.View ?? default,
            Y = y.View,
            Mean = mean.View,
            Rstd = rstd.View,
            Shape = s,
            Eps = eps,
            Activation = activation,
        };
        args.Check();
        device.Backend.Conv1dLayerNorm(args);
        if (tape is null) return new Tensor(y, Op);
        // As if the two had been called: their nodes hold what each would have kept.
        var convolution = x.Node is null && weight.Node is null && bias?.Node is null ? null : tape.Record(
            new Conv1dNode(tape, x.Ref.Retain(), weight.Ref.Retain(), default, s, Activation.None)
            {
                X = x.Node,
                W = weight.Node,
                Bias = bias?.Node,
            });
        var scale = gamma is null ? default : gamma.Ref.Retain();
        var shift = beta is null || activation == Activation.None ? default : beta.Ref.Retain();
        return new Tensor(y, Op, tape.Record(
            new LayerNormNode(tape, sum, mean, rstd, scale, shift, default, activation)
            {
                X = convolution,
                Gamma = gamma?.Node,
                Beta = beta?.Node,
            }));
    }
}
