using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Modules;

/// <summary>The layer declares what it says and computes the convolution of its parameters.</summary>
public sealed class Conv1dLayerTests
{
    [TestCase(400, 1)]
    [TestCase(16000, 49)]
    [TestCase(32000, 99)]
    [TestCase(93680, 292)]
    [TestCase(320000, 999)]
    [TestCase(399, 0)]
    public void The_frames_of_the_audio_encoder_are_those_of_the_published_model(int samples, int frames)
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var time = samples;
        foreach (var (kernel, stride) in new[] { (10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2) })
        {
            var scope = new ParameterScope(store, $"conv.{store.Parameters.Count}");
            var layer = new Conv1dLayer(scope, 1, 1, kernel, stride, 0, 1, false, Initializers.KaimingNormal);
            time = layer.OutputTime(time);
        }
        Assert.That(time, Is.EqualTo(frames));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Its_parameters_take_part_and_get_gradients(bool bias)
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var scope = new ParameterScope(store, "conv");
        var layer = new Conv1dLayer(
            scope, 4, 6, 3, 2, 1, 2, bias, Initializers.TorchDefault, Initializers.InverseRoot(6));
        store.Build(seed: 3);
        Assert.That(store.Parameters.Select(p => $"{p.Name} {p.Shape}"),
            Is.EqualTo(bias ? new[] { "conv.weight (6, 3, 2)", "conv.bias (6)" } : ["conv.weight (6, 3, 2)"]));
        using (device.Scope())
        using (var tape = new Tape(device))
        using (var parameters = store.Student(tape))
        {
            var numbers = Enumerable.Range(0, 2 * 7 * 4).Select(i => MathF.Sin(i)).ToArray();
            var x = Tensor.From<float>(device, numbers, new Shape(2, 7, 4));
            var y = layer.Forward(parameters, x);
            Assert.That(y.Shape, Is.EqualTo(new Shape(2, layer.OutputTime(7), 6)));
            var expected = Ops.Conv1d(
                x, parameters[0], bias ? parameters[1] : null, new Conv1dOptions(Stride: 2, Padding: 1, Groups: 2));
            Assert.That(y.ToDoubles(), Is.EqualTo(expected.ToDoubles()));
            tape.Backward(Ops.Sum(Ops.Square(y)));
            for (var i = 0; i < store.Parameters.Count; i++)
                Assert.That(store.HasGradient(i), store.Parameters[i].Name);
        }
    }

    [Test]
    public void Groups_that_do_not_divide_the_channels_are_refused_at_once()
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var scope = new ParameterScope(store, "conv");
        Assert.That(() => new Conv1dLayer(scope, 4, 6, 3, 1, 0, 4, true, Initializers.Zeros),
            Throws.ArgumentException.With.Message.Contains("4 groups must divide the channels of conv"));
    }
}
