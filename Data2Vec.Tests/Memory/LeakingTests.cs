using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Memory;

/// <summary>Tests that leak on purpose. <see cref="NoLeakedBuffersTests"/> runs them and wants every one to fail.</summary>
[Explicit("they must fail")]
public sealed class LeakingTests
{
    [Test]
    public void A_kept_tensor_is_forgotten()
    {
        using var device = Device.Parse("reference");
        using var scope = device.Scope();
        scope.Keep(Tensor.Zeros(device, new Shape(3), DType.Float32));
    }

    [Test]
    public void A_kept_tensor_is_forgotten_behind_a_queue()
    {
        using var device = Device.Parse("delayed:reference");
        using var scope = device.Scope();
        scope.Keep(Tensor.Zeros(device, new Shape(3), DType.Float32));
    }

    [Test]
    public void A_store_is_not_disposed()
    {
        using var device = Device.Parse("cpu", 1);
        var store = new ParameterStore(device);
        _ = new LinearLayer(new ParameterScope(store, "layer"), 2, 3, Initializers.Ones);
        store.Build(seed: 1);
    }

    [Test]
    public void A_device_is_not_disposed() => Device.Parse("reference");
}
