using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Autograd;

/// <summary>What a tape refuses, and that a walk that fails costs no memory.</summary>
public sealed class TapeRefusalTests
{
    private Device device = null!;
    private Scope scope = null!;

    [SetUp]
    public void Open()
    {
        device = Device.Parse("reference");
        scope = device.Scope();
    }

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        device.Dispose();
    }

    [Test]
    public void Only_a_tensor_of_this_tape_has_gradients()
    {
        using var tape = new Tape(device);
        using var other = new Tape(device);
        var foreign = Ops.Square(other.Watch(Vector(1)));
        Assert.That(() => tape.Backward(Vector(1)), Throws.ArgumentException.With.Message.Contains("was not computed from"));
        Assert.That(() => tape.Backward(foreign), Throws.ArgumentException.With.Message.Contains("was not computed from"));
        Assert.That(() => tape.Backward(Ops.Square(tape.Watch(Vector(1))).Detach()), Throws.ArgumentException);
        Assert.That(() => tape.Gradient(foreign), Throws.ArgumentException.With.Message.Contains("not a tensor returned by Watch"));
    }

    [Test]
    public void More_than_one_element_needs_a_seed_of_its_shape_and_type()
    {
        using var tape = new Tape(device);
        var y = Ops.Square(tape.Watch(Vector(1, 2)));
        Assert.That(() => tape.Backward(y), Throws.ArgumentException.With.Message.EqualTo(
            "Tape.Backward: Square (2) float32 has 2 elements; give a seed of its shape."));
        Assert.That(() => tape.Backward(y, Vector(1, 1, 1)), Throws.ArgumentException.With.Message.Contains("the seed must be like"));
        Assert.That(() => tape.Backward(y, Tensor.From<double>(device, [1, 1], new Shape(2))), Throws.ArgumentException);
        Assert.That(() => tape.Backward(y, Vector(1, 1)), Throws.Nothing, "a refusal does not use the tape up");
    }

    [Test]
    public void Integers_are_not_watched()
    {
        using var tape = new Tape(device);
        var rows = Tensor.From<int>(device, [1], new Shape(1));
        Assert.That(() => tape.Watch(rows), Throws.ArgumentException.With.Message.Contains("only floating-point tensors"));
    }

    [Test]
    public void Operands_of_two_tapes_do_not_meet()
    {
        using var one = new Tape(device);
        using var two = new Tape(device);
        var (x, y) = (one.Watch(Vector(1)), two.Watch(Vector(2)));
        Assert.That(() => Ops.Add(x, y), Throws.InvalidOperationException.With.Message.Contains("another tape"));
    }

    [Test]
    public void A_disposed_tape_is_not_used()
    {
        var tape = new Tape(device);
        var x = tape.Watch(Vector(1));
        var y = Ops.Square(x);
        tape.Dispose();
        Assert.That(() => Ops.Square(x), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => tape.Backward(y), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => tape.Gradient(x), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => tape.Watch(Vector(1)), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_walk_that_fails_gives_back_what_it_had_begun()
    {
        var before = device.OutstandingBuffers;
        using (device.Scope())
        {
            using var tape = new Tape(device);
            var x = tape.Watch(Vector(1, 2));
            // The gradient of the product is waiting for a second part when the walk meets the failure.
            var early = Ops.Mul(x, Vector(3, 4));
            var failing = Failing.Of(Ops.Exp(early));
            var y = Ops.Add(Ops.Sigmoid(failing), Ops.Exp(early));
            Assert.That(() => tape.Backward(y, Vector(1, 1)), Throws.TypeOf<InvalidDataException>());
            Assert.That(() => tape.Gradient(x), Throws.TypeOf<ObjectDisposedException>(), "half a gradient is none");
        }
        Assert.That(device.OutstandingBuffers, Is.EqualTo(before));
    }

    [Test]
    public void A_failure_inside_a_recomputed_part_gives_back_too()
    {
        using var store = new ParameterStore(device);
        var layer = new LinearLayer(new ParameterScope(store, "layer"), 2, 2, Initializers.Ones);
        store.Build(seed: 1);
        var before = device.OutstandingBuffers;
        using (device.Scope())
        {
            using var tape = new Tape(device);
            using var view = store.Student(tape);
            var x = tape.Watch(Tensor.From<float>(device, [1, 2], new Shape(1, 2)));
            var y = Recompute.Run(view, x, (p, t) => Failing.Of(layer.Forward(p, t, Activation.Gelu)));
            Assert.That(() => tape.Backward(Ops.Sum(Ops.Exp(y))), Throws.TypeOf<InvalidDataException>());
        }
        Assert.That(device.OutstandingBuffers, Is.EqualTo(before));
    }

    private Tensor Vector(params float[] values) => Tensor.From<float>(device, values, new Shape(values.Length));

    /// <summary>y = x; its derivative opens memory and then fails, as a kernel would that runs out of it.</summary>
    private sealed class Failing(Tape tape, Node input, TensorRef saved) : Node(tape, "Failing")
    {
        public static Tensor Of(Tensor x) => x.Node is not { } node ? x : new(x.Ref.Retain(), "Failing",
            node.Tape.Record(new Failing(node.Tape, node, x.Ref.Retain())));

        protected override void Backward(TensorRef dy)
        {
            input.Open(dy.Shape, dy.DType);
            input.Pass(Tape.Device.Allocate(dy.Shape, dy.DType));
            throw new InvalidDataException();
        }

        protected override void Release() => saved.Release();
    }
}
