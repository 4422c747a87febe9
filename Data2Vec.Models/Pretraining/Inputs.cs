using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>Host data as tensors in the type of a model.</summary>
internal static class Inputs
{
    /// <summary>Numbers on the store's device, widened when the store holds float64.</summary>
    public static Tensor From(ParameterStore store, float[] values, Shape shape)
    {
        var tensor = Tensor.From<float>(store.Device, values, shape);
        return store.DType == DType.Float32 ? tensor : Ops.Cast(tensor, store.DType);
    }

    /// <summary>As above, in the type of a pass.</summary>
    public static Tensor From(ParameterView parameters, float[] values, Shape shape) =>
        Ops.Cast(From(parameters.Store, values, shape), parameters.DType);
}
