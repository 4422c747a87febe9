using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// What maps the student's masked positions to the targets: 1 layer: Linear D -> D; n layers: D -> 2D, GELU, (2D -> 2D,
/// GELU) ..., 2D -> D. Parameters are named by their place in the published sequence: 0, 2, 4, ... The teacher uses
/// none.
/// </summary>
public sealed class RegressionHead
{
    private readonly LinearLayer[] layers;

    /// <summary>Declares the parameters; biases start at 0.</summary>
    /// <param name="store">The model's store.</param>
    /// <param name="width">Channels D.</param>
    /// <param name="depth">Layers.</param>
    /// <param name="weights">First values.</param>
    /// <param name="teacher">Some published runs average the head too, though nothing reads it.</param>
    public RegressionHead(
        ParameterStore store, int width, int depth, Initializer weights, TeacherRule teacher = TeacherRule.Shared)
    {
        if (depth < 1) throw new ArgumentException($"The regression head needs at least one layer; got {depth}.");
        layers = new LinearLayer[depth];
        for (var i = 0; i < depth; i++)
        {
            var inputs = i == 0 ? width : 2 * width;
            var outputs = i == depth - 1 ? width : 2 * width;
            layers[i] = new LinearLayer(new ParameterScope(store, $"head.{2 * i}", teacher), inputs, outputs, weights);
        }
    }

    /// <summary>[M, D] to [M, D].</summary>
    public Tensor Forward(ParameterView p, Tensor x)
    {
        if (layers.Length == 1) return layers[0].Forward(p, x);
        foreach (var layer in layers[..^2]) x = layer.Forward(p, x, Activation.Gelu);
        return layers[^2].Forward(p, x, Activation.Gelu, layers[^1]);
    }
}
