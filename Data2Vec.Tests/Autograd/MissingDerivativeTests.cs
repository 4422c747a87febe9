using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Autograd;

/// <summary>Asking for a derivative that there is not is an error, never a silent zero.</summary>
public sealed class MissingDerivativeTests
{
    private Device device = null!;
    private Scope scope = null!;
    private Tape tape = null!;

    [SetUp]
    public void Open()
    {
        device = Device.Parse("reference");
        scope = device.Scope();
        tape = new Tape(device);
    }

    [TearDown]
    public void Close()
    {
        tape.Dispose();
        scope.Dispose();
        device.Dispose();
    }

    [Test]
    public void Attention_probabilities_may_be_looked_at_but_not_differentiated()
    {
        var q = tape.Watch(Random(new Shape(1, 3, 2, 4)));
        var probabilities = Tensor.Zeros(device, new Shape(1, 2, 3, 3), DType.Float32);
        var o = Ops.Attention(q, q, q, probabilities: probabilities);
        Assert.That(Ops.Sum(probabilities.Detach()).Item(), Is.EqualTo(6).Within(1e-5));
        var loss = Ops.Add(Ops.Sum(o), Ops.Sum(probabilities));
        Assert.That(() => tape.Backward(loss), Throws.InvalidOperationException.With.Message.EqualTo(
            "Attention's probabilities has no derivative, but a gradient was asked for through it."));
    }

    [Test]
    public void A_loss_beside_the_probabilities_has_its_gradient()
    {
        var q = tape.Watch(Random(new Shape(1, 3, 2, 4)));
        var probabilities = Tensor.Zeros(device, new Shape(1, 2, 3, 3), DType.Float32);
        tape.Backward(Ops.Sum(Ops.Attention(q, q, q, probabilities: probabilities)));
        Assert.That(tape.Gradient(q), Is.Not.Null);
    }

    [Test]
    public void A_class_weight_that_is_tracked_is_refused()
    {
        var logits = tape.Watch(Random(new Shape(2, 3)));
        var weight = tape.Watch(Random(new Shape(3)));
        var target = Tensor.From<int>(device, [0, 2], new Shape(2));
        Assert.That(() => Ops.CrossEntropy(logits, target, weight), Throws.ArgumentException.With.Message.EqualTo(
            "CrossEntropy: there is no derivative by the weight; give From (3) float32.Detach() if none is wanted."));
        tape.Backward(Ops.CrossEntropy(logits, target, weight.Detach()));
        Assert.That(tape.Gradient(logits), Is.Not.Null);
    }

    [Test]
    public void What_is_no_number_of_the_line_is_untracked_and_backward_says_so()
    {
        var x = tape.Watch(Random(new Shape(5)));
        foreach (var y in new[] { Ops.ArgMax(x), Ops.Binary(BinaryOp.Greater, x, x), Ops.Cast(x, DType.Int32), x.Detach() })
        {
            Assert.That(y.IsTracked, Is.False, y.MadeBy);
            Assert.That(() => tape.Backward(y, y), Throws.ArgumentException.With.Message.Contains("was not computed from"));
        }
    }

    private Tensor Random(Shape shape)
    {
        var values = new float[shape.Count];
        Philox.FillNormal(new RandomKey(1, 0, 0, 0), values);
        return Tensor.From<float>(device, values, shape);
    }
}
