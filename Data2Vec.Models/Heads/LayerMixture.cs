using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// What a head reads of an encoder: its output, or a learned mixture of all hidden states, sum over i of
/// softmax(weights)[i] * hidden[i], with the encoder's input as state 0. Parameter layer_weights [L + 1] if learned.
/// </summary>
internal sealed class LayerMixture
{
    private readonly int weights = -1;

    public LayerMixture(ParameterScope scope, int layers, bool learned)
    {
        if (learned)
            weights = scope.Add("layer_weights", new Shape(layers + 1), Initializers.Constant(1.0 / (layers + 1)));
    }

    /// <summary>The published tensor, if learned.</summary>
    public static IEnumerable<PublishedTensor> Names(bool learned) =>
        learned ? [new PublishedTensor("layer_weights", "head.layer_weights")] : [];

    /// <summary>[B, T, D].</summary>
    /// <exception cref="ArgumentException">The hidden states were not collected.</exception>
    public Tensor Of(ParameterView p, EncoderOutput output)
    {
        if (weights < 0) return output.Last;
        var shares = Ops.Softmax(p[weights]);
        if (output.Hidden.Count != shares.Count)
        {
            throw new ArgumentException(
                $"The head mixes {shares.Count} hidden states; the encoder gave {output.Hidden.Count}: collect them.");
        }
        Tensor? sum = null;
        for (var i = 0; i < output.Hidden.Count; i++)
        {
            var part = Ops.Mul(output.Hidden[i], Ops.Slice(shares, 0, i, i + 1));
            sum = sum is null ? part : Ops.Add(sum, part);
        }
        return sum!;
    }
}
