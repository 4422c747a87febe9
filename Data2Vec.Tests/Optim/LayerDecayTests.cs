using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;
using NUnit.Framework;

namespace Data2Vec.Tests.Optim;

/// <summary>
/// Layer-wise learning rates by names of parameters; recorded tables are in the suite `pretrain-vision`.
/// </summary>
public sealed class LayerDecayTests
{
    [TestCase("embeddings.patch.weight", 0)]
    [TestCase("encoder.layer.0.relative_position_bias", 1)]
    [TestCase("encoder.layer.11.attention.qkv.weight", 12)]
    [TestCase("relative_position_bias", 13)]
    [TestCase("pooler.norm.weight", 13)]
    [TestCase("head.bias", 13)]
    public void A_parameter_counts_as_its_layer(string name, int layer)
    {
        Assert.That(LayerDecay.LayerOf(name, layers: 12), Is.EqualTo(layer));
        Assert.That(LayerDecay.Scale(name, 12, 0.65), Is.EqualTo(Math.Pow(0.65, 13 - layer)));
    }

    [Test]
    public void Rates_are_scaled_before_the_store_is_built()
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        store.Add(new ParameterDeclaration("a", new Shape(2), Initializers.Ones, LearningRateScale: 0.5));
        store.ScaleLearningRates(name => name == "a" ? 0.1 : 1);
        Assert.That(store.Parameters[0].LearningRateScale, Is.EqualTo(0.05));
        store.Build(1);
        Assert.Throws<InvalidOperationException>(() => store.ScaleLearningRates(_ => 1));
    }
}
