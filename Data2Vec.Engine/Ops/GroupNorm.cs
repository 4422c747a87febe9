using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// y = (x - mean) / sqrt(var + eps) * gamma + beta, mean and biased variance over all frames and the channels of
    /// one group. A composite of <see cref="InstanceNorm"/> or <see cref="LayerNorm"/> without affine part, and scale
    /// and shift per channel, which have the derivatives. Source: Wu and He 2018.
    /// </summary>
    /// <param name="x">[B, T, C], floating point, at least one frame.</param>
    /// <param name="gamma">[C], or null for no scale.</param>
    /// <param name="beta">[C], or null for no shift.</param>
    /// <param name="groups">Number of groups, which divides C: 1 = all channels together, C = every channel for
    /// itself.</param>
    /// <param name="eps">Added to the biased variance.</param>
    /// <returns>[B, T, C], type of x.</returns>
    /// <exception cref="ArgumentException">A shape, type or device does not fit, or the groups do not divide the
    /// channels.</exception>
    public static Tensor GroupNorm(Tensor x, Tensor? gamma, Tensor? beta, int groups, double eps = 1e-5)
    {
        Refuse.NotFloat("GroupNorm", x);
        Refuse.OtherDevices("GroupNorm", x, gamma, beta);
        Refuse.OtherTypes("GroupNorm", x, gamma, beta);
        Refuse.Unless(x.Shape.Rank == 3 && x.Shape[1] >= 1 && x.Shape[2] >= 1,
            $"GroupNorm: x must be [batch, time, channels] with at least one frame and one channel; got {x}.");
        var (batch, time, channels) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        Refuse.Unless(groups >= 1 && channels % groups == 0,
            $"GroupNorm: {groups} groups must divide the channels; got x {x.Shape}.");
        Refuse.Unless(gamma is null || gamma.Shape == new Shape(channels),
            $"GroupNorm: gamma must have shape ({channels}) to match the channels of x; got x {x.Shape}, "
            + $"gamma {gamma?.Shape}.");
        Refuse.Unless(beta is null || beta.Shape == new Shape(channels),
            $"GroupNorm: beta must have shape ({channels}) to match the channels of x; got x {x.Shape}, "
            + $"beta {beta?.Shape}.");
        var y = groups == channels ? InstanceNorm(x, eps) : Normalised();
        if (gamma is not null) y = Mul(y, gamma);
        return beta is null ? y : Add(y, beta);

        // A group of one sample is one row of a LayerNorm.
        Tensor Normalised()
        {
            var split = new Shape(batch, time, groups, channels / groups);
            var front = groups == 1 ? x : Permute(Reshape(x, split), 0, 2, 1, 3);
            var rows = Reshape(front, new Shape(batch * groups, time * (channels / groups)));
            var normal = LayerNorm(rows, null, null, eps: eps);
            if (groups == 1) return Reshape(normal, x.Shape);
            var back = Permute(Reshape(normal, new Shape(batch, groups, time, channels / groups)), 0, 2, 1, 3);
            return Reshape(back, x.Shape);
        }
    }
}
