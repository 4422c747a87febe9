using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// Positions from context: [B, T, D] -> depth x (grouped convolution, kernel k, padding k / 2; an even k gives a frame too
/// many, the last is cut -> LayerNorm over channels without affine part, eps 1e-5 -> GELU) -> [B, T, D].
/// </summary>
public sealed class PositionEncoder
{
    private const double Eps = 1e-5;

    private readonly Conv1dLayer[] convolutions;

    /// <summary>Declares i.weight and i.bias of every layer.</summary>
    public PositionEncoder(ParameterScope scope, int width, int depth, int kernel, int groups)
    {
        convolutions = new Conv1dLayer[depth];
        for (var i = 0; i < depth; i++)
        {
            convolutions[i] = new Conv1dLayer(scope.Sub($"{i}"), width, width, kernel, stride: 1, padding: kernel / 2, groups,
                bias: true, Initializers.TorchDefault, Initializers.InverseRoot((long)width / groups * kernel));
        }
    }

    /// <summary>[B, T, D] to [B, T, D].</summary>
    public Tensor Forward(ParameterView p, Tensor x)
    {
        var frames = x.Shape[1];
        foreach (var convolution in convolutions)
        {
            x = convolution.Forward(p, x);
            if (x.Shape[1] > frames) x = Ops.Slice(x, 1, 0, frames);
            x = Ops.LayerNorm(x, null, null, eps: Eps, activation: Activation.Gelu);
        }
        return x;
    }
}
