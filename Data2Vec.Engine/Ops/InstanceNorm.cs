using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Every channel of every sample normalised over time, x [B, T, C], biased variance, no affine part. Backward saves x
    /// and the statistics. Source: Ulyanov et al. 2016.
    /// </summary>
    /// <exception cref="ArgumentException">x is not [B, T, C] with at least one frame.</exception>
    public static Tensor InstanceNorm(Tensor x, double eps = 1e-5)
    {
        Refuse.NotFloat("InstanceNorm", x);
        Refuse.Unless(x.Shape.Rank == 3 && x.Shape[1] >= 1,
            $"InstanceNorm: x must be [batch, time, channels] with at least one frame; got {x}.");
        var statistics = x.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        var tape = Tape.Of(x);
        var y = x.Device.Allocate(x.Shape, x.DType);
        var channels = new Shape(x.Shape[0], x.Shape[2]);
        var mean = tape is null ? default : x.Device.Allocate(channels, statistics);
        var rstd = tape is null ? default : x.Device.Allocate(channels, statistics);
        var args = new InstanceNormArgs
        {
            X = x.View, Y = y.View, Mean = mean.View, Rstd = rstd.View,
            Batch = x.Shape[0], Time = x.Shape[1], Channels = x.Shape[2], Eps = eps,
        };
        args.Check();
        x.Device.Backend.InstanceNorm(args);
        if (tape is null) return new Tensor(y, "InstanceNorm");
        return new Tensor(y, "InstanceNorm",
            tape.Record(new InstanceNormNode(tape, x.Node!, x.Ref.Retain(), mean, rstd)));
    }

    private sealed class InstanceNormNode(Tape tape, Node input, TensorRef x, TensorRef mean, TensorRef rstd)
        : Node(tape, "InstanceNorm")
    {
        protected override void Backward(TensorRef dy)
        {
            var dx = input.Open(x.Shape, x.DType);
            var args = new InstanceNormBackwardArgs
            {
                X = x.Unchanged(Op), Mean = mean.View, Rstd = rstd.View, DY = dy.View, DX = dx.View,
                Batch = x.Shape[0], Time = x.Shape[1], Channels = x.Shape[2],
            };
            args.Check();
            Backend.InstanceNormBackward(args);
            dx.Commit();
        }

        protected override void Release()
        {
            x.Release();
            mean.Release();
            rstd.Release();
        }
    }
}
