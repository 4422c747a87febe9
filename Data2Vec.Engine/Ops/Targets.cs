using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Mean over layers of norm(layer), norms without affine parts and with biased variances, in one pass over memory. What a
    /// teacher gives takes part in no gradient: there is no derivative. Source: Baevski et al. 2022, section 3.3.
    /// </summary>
    /// <param name="layers">1 to 32 tensors [B, T, C] of one floating-point type, at least one position and channel.</param>
    /// <param name="norm">Of every layer.</param>
    /// <param name="finalLayerNorm">Normalise the mean over channels.</param>
    /// <param name="eps">Added to the variances.</param>
    /// <returns>[B, T, C]: float32, or float64 when the layers are.</returns>
    /// <exception cref="ArgumentException">A shape, type or device does not fit, or a layer is tracked.</exception>
    public static Tensor Targets(
        IReadOnlyList<Tensor> layers, TargetNorm norm, bool finalLayerNorm = false, double eps = 1e-5)
    {
        Refuse.Unless(layers.Count is >= 1 and <= TargetsArgs.MostLayers,
            $"Targets: there must be 1 to {TargetsArgs.MostLayers} layers; got {layers.Count}.");
        var first = layers[0];
        Refuse.NotFloat("Targets", first);
        Refuse.Unless(first.Shape.Rank == 3 && first.Shape[1] >= 1 && first.Shape[2] >= 1,
            $"Targets: layers must be [batch, time, channels] with at least one position and one channel; got {first}.");
        var views = default(LayerViews);
        for (var i = 0; i < layers.Count; i++)
        {
            Refuse.OtherDevices("Targets", first, layers[i]);
            Refuse.OtherTypes("Targets", first, layers[i]);
            Refuse.Unless(layers[i].Shape == first.Shape,
                $"Targets: layers must have one shape; got {first.Shape} and {layers[i].Shape}.");
            Refuse.Tracked("Targets", "layers", layers[i]);
            views[i] = layers[i].View;
        }
        var y = first.Device.Allocate(first.Shape, first.DType == DType.Float64 ? DType.Float64 : DType.Float32);
        var args = new TargetsArgs
        {
            Layers = views, Y = y.View, LayerCount = layers.Count, Batch = first.Shape[0], Time = first.Shape[1],
            Channels = first.Shape[2], Norm = norm, FinalLayerNorm = finalLayerNorm, Eps = eps,
        };
        args.Check();
        first.Device.Backend.Targets(args);
        return new Tensor(y, "Targets");
    }
}
