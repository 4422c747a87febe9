using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Training;

/// <summary>Activation recomputation changes the memory of a step and not one bit of its gradients.</summary>
public sealed class RecomputeTests
{
    [Test]
    public void Gradients_have_the_same_bits_with_dropout_everywhere(
        [Values("reference", "cpu", "delayed")] string name, [Values(1, 2)] int microBatches)
    {
        using var device = Device.Parse(name, 2);
        using var plain = new TextStep(device, layers: 3, microBatches: microBatches, dropout: 0.3);
        using var again = new TextStep(device, layers: 3, microBatches: microBatches, dropout: 0.3, recompute: true);
        for (var i = 0; i < 3; i++)
        {
            plain.Run();
            again.Run();
            Assert.That(again.Gradients(), Is.EqualTo(plain.Gradients()), $"gradients of step {i + 1}");
        }
        Assert.That(again.Read(ParameterPart.Student), Is.EqualTo(plain.Read(ParameterPart.Student)));
        Assert.That(again.Read(ParameterPart.Teacher), Is.EqualTo(plain.Read(ParameterPart.Teacher)));
        Assert.That(plain.Gradients().SelectMany(g => g).Any(g => g != 0));
    }

    [Test]
    public void Dropout_does_act_in_that_comparison()
    {
        using var device = Device.Parse("cpu", 1);
        using var dropped = new TextStep(device, dropout: 0.3);
        using var whole = new TextStep(device, dropout: 0);
        dropped.Differentiate();
        whole.Differentiate();
        Assert.That(dropped.Gradients(), Is.Not.EqualTo(whole.Gradients()));
    }

    [Test]
    public void A_layer_holds_its_input_alone_until_backward()
    {
        using var device = Device.Parse("cpu", 1);
        int Held(int layers, bool recompute)
        {
            using var step = new TextStep(device, layers, recompute: recompute);
            step.Differentiate();
            return step.BuffersBeforeBackward;
        }
        Assert.That(Held(4, true) - Held(3, true), Is.EqualTo(1));
        Assert.That(Held(4, false) - Held(3, false), Is.GreaterThan(10));
    }

    [Test]
    public void The_body_runs_once_silently_and_once_recorded()
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var layer = new LinearLayer(new ParameterScope(store, "layer"), 2, 2, Initializers.Normal(1));
        store.Build(seed: 1);
        using var scope = device.Scope();
        using var tape = new Tape(device);
        using var view = store.Student(tape);
        var x = tape.Watch(Tensor.From<float>(device, [1, 2], new Shape(1, 2)));
        var runs = new List<bool>();
        var y = Recompute.Run(view, x, (p, t) =>
        {
            runs.Add(p.Tape is not null);
            return layer.Forward(p, t, Activation.Gelu);
        });
        Assert.That((tape.Count, runs), Is.EqualTo((1, new List<bool> { false })));
        tape.Backward(Ops.Sum(y));
        Assert.That(runs, Is.EqualTo(new[] { false, true }));
        Assert.That(tape.Gradient(x), Is.Not.Null);
        Assert.That(store.HasGradient(0) && store.HasGradient(1));
    }

    [Test]
    public void Without_a_tape_nothing_is_recorded()
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var layer = new LinearLayer(new ParameterScope(store, "layer"), 2, 2, Initializers.Normal(1));
        store.Build(seed: 1);
        using var scope = device.Scope();
        using var view = store.Student();
        var x = Tensor.From<float>(device, [1, 2], new Shape(1, 2));
        var y = Recompute.Run(view, x, (p, t) => layer.Forward(p, t));
        Assert.That(y.IsTracked, Is.False);
        Assert.That(y.ToArray<float>(), Is.EqualTo(layer.Forward(view, x).ToArray<float>()));
    }

    [Test]
    public void An_input_that_was_overwritten_is_refused()
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var weight = new ParameterScope(store, "table").Add("weight", new Shape(1, 2), Initializers.Ones);
        store.Build(seed: 1);
        using var scope = device.Scope();
        using var tape = new Tape(device);
        using var view = store.Student(tape);
        var y = Recompute.Run(view, view[weight], (_, t) => Ops.Square(t));
        store.Write(ParameterPart.Student, weight, [3, 4]);
        Assert.That(() => tape.Backward(Ops.Sum(y)), Throws.InvalidOperationException.With.Message.EqualTo(
            "Recompute: the value saved for backward was overwritten by ParameterStore.Write after the forward call."));
    }
}
