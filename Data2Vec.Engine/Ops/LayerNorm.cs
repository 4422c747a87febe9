using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// y = activation((s - mean(s)) / sqrt(var(s) + eps) * gamma + beta) over the last dimension, with s = dropout(x) +
    /// residual. Backward saves s and the two statistics of each row, with an activation too. Source: Ba et al. 2016.
    /// </summary>
    /// <param name="x">[..., C], floating point, C at least 1.</param>
    /// <param name="gamma">[C], or null for no scale.</param>
    /// <param name="beta">[C], or null for no shift.</param>
    /// <param name="residual">Added to the (dropped-out) input, shape of x; or null.</param>
    /// <param name="eps">Added to the biased variance.</param>
    /// <param name="dropout">Dropout of x before the sum; default none.</param>
    /// <param name="activation">Applied to the normalised values in the same pass.</param>
    /// <returns>[..., C], type of x.</returns>
    /// <exception cref="ArgumentException">A shape, type or device does not fit; the sentence names both
    /// shapes.</exception>
    public static Tensor LayerNorm(
        Tensor x, Tensor? gamma, Tensor? beta, Tensor? residual = null, double eps = 1e-5,
        DropoutSource dropout = default, Activation activation = Activation.None)
    {
        Refuse.NotFloat("LayerNorm", x);
        Refuse.Unless(x.Shape.Rank >= 1 && x.Shape[-1] >= 1,
            $"LayerNorm: x must have a last dimension of at least 1; got {x}.");
        var columns = x.Shape[-1];
        Refuse.OtherDevices("LayerNorm", x, gamma, beta, residual);
        Refuse.OtherTypes("LayerNorm", x, gamma, beta, residual);
        Refuse.Unless(gamma is null || gamma.Shape == new Shape(columns),
            $"LayerNorm: gamma must have shape ({columns}) to match the last dimension of x; got x {x.Shape}, "
            + $"gamma {gamma?.Shape}.");
        Refuse.Unless(beta is null || beta.Shape == new Shape(columns),
            $"LayerNorm: beta must have shape ({columns}) to match the last dimension of x; got x {x.Shape}, "
            + $"beta {beta?.Shape}.");
        Refuse.Unless(residual is null || residual.Shape == x.Shape,
            $"LayerNorm: residual must have the shape of x; got x {x.Shape}, residual {residual?.Shape}.");

        var device = x.Device;
        var tape = Tape.Of(x, gamma, beta, residual);
        var rows = x.Count / columns;
        var statistics = x.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        var fused = residual is not null || dropout.IsActive;
        var y = device.Allocate(x.Shape, x.DType);
        var sum = fused ? device.Allocate(x.Shape, x.DType) : x.Ref.Retain();
        var mean = tape is null ? default : device.Allocate(new Shape(checked((int)rows)), statistics);
        var rstd = tape is null ? default : device.Allocate(new Shape(checked((int)rows)), statistics);
        var args = new LayerNormArgs
        {
            X = x.View,
            Residual = residual?.View ?? default,
            Gamma = gamma?.View ?? default,
            Beta = beta?.View ?? default,
            Y = y.View,
            Sum = sum.View,
            Mean = mean.View,
            Rstd = rstd.View,
            Rows = rows,
            Columns = columns,
            Eps = eps,
            Dropout = dropout,
            Activation = activation,
        };
        args.Check();
        device.Backend.LayerNorm(args);
        if (tape is null)
        {
            sum.Release();
            return new Tensor(y, "LayerNorm");
        }
        var scale = gamma is null ? default : gamma.Ref.Retain();
        var shift = beta is null || activation == Activation.None ? default : beta.Ref.Retain();
        var node = tape.Record(new LayerNormNode(tape, sum, mean, rstd, scale, shift, dropout, activation)
        {
            X = x.Node,
            Gamma = gamma?.Node,
            Beta = beta?.Node,
            Residual = residual?.Node,
        });
        return new Tensor(y, "LayerNorm", node);
    }

    private sealed class LayerNormNode(
        Tape tape, TensorRef sum, TensorRef mean, TensorRef rstd, TensorRef gamma, TensorRef beta,
        DropoutSource dropout, Activation activation) : Node(tape, "LayerNorm")
    {
        public Node? X { get; init; }

        public Node? Gamma { get; init; }

        public Node? Beta { get; init; }

        public Node? Residual { get; init; }

        protected override void Backward(TensorRef dy)
        {
            var columns = sum.Shape[-1];
            var dx = X.OpenIfTracked(sum.Shape, sum.DType);
            // Without dropout both gradients are the same values: computed once, shared by both nodes.
            var shared = !dropout.IsActive && X is not null;
            var dResidual = shared ? default : Residual.OpenIfTracked(sum.Shape, sum.DType);
            var dGamma = Gamma.OpenIfTracked(new Shape(columns), sum.DType, canAccumulate: true);
            var dBeta = Beta.OpenIfTracked(new Shape(columns), sum.DType, canAccumulate: true);
            var args = new LayerNormBackwardArgs
            {
                Sum = sum.Unchanged(Op),
                Mean = mean.View,
                Rstd = rstd.View,
                Gamma = gamma.Unchanged(Op),
                Beta = beta.Unchanged(Op),
                DY = dy.View,
                DX = dx.View,
                DResidual = dResidual.View,
                DGamma = dGamma.View,
                DBeta = dBeta.View,
                Rows = sum.Shape.Count / columns,
                Columns = columns,
                Dropout = dropout,
                Activation = activation,
                AccumulateGamma = dGamma.Accumulate,
                AccumulateBeta = dBeta.Accumulate,
            };
            args.Check();
            Backend.LayerNormBackward(args);
            if (shared) Residual?.Pass(dx.Memory);
            dx.Commit();
            dResidual.Commit();
            dGamma.Commit();
            dBeta.Commit();
        }

        protected override void Release()
        {
            sum.Release();
            mean.Release();
            rstd.Release();
            gamma.Release();
            beta.Release();
        }
    }
}
