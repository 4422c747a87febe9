using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Tests.Catalogue;
using NUnit.Framework;

namespace Data2Vec.Tests.Autograd;

/// <summary>In which order a tape runs, what it computes and not, and when it lets go.</summary>
public sealed class TapeTests
{
    private readonly List<string> told = [];
    private Device device = null!;
    private Scope scope = null!;

    private List<string> Calls => ((RecordingBackend)device.Backend).Calls;

    [SetUp]
    public void Open()
    {
        told.Clear();
        device = new Device("recording", new RecordingBackend(new ReferenceBackend()));
        scope = device.Scope();
    }

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        device.Dispose();
    }

    [Test]
    public void Nodes_run_backwards_and_each_lets_go_before_the_next_runs()
    {
        using var tape = new Tape(device);
        var x = tape.Watch(Vector(1, 2));
        foreach (var name in new[] { "a", "b", "c" }) x = Probe.Of(x, name, told.Add);
        Assert.That(tape.Count, Is.EqualTo(3));
        tape.Backward(x, Vector(1, 1));
        Assert.That(told, Is.EqualTo(new[] { "run c", "release c", "run b", "release b", "run a", "release a" }));
        Assert.That(tape.Count, Is.Zero);
    }

    [Test]
    public void A_node_runs_after_all_that_used_its_result()
    {
        using var tape = new Tape(device);
        var x = tape.Watch(Vector(3));
        var root = Probe.Of(x, "root", told.Add);
        var late = Ops.Mul(Probe.Of(root, "left", told.Add), Probe.Of(root, "right", told.Add));
        var y = Ops.Add(late, root);
        tape.Backward(y);
        Assert.That(told.Where(t => t.StartsWith("run")), Is.EqualTo(new[] { "run right", "run left", "run root" }));
        Assert.That(tape.Gradient(x)!.Item(), Is.EqualTo(2 * 3 + 1));
    }

    [Test]
    public void What_the_output_does_not_depend_on_is_skipped_and_let_go()
    {
        using var tape = new Tape(device);
        var x = tape.Watch(Vector(1, 2));
        var used = Probe.Of(x, "used", told.Add);
        Ops.Exp(Probe.Of(x, "beside", told.Add));
        var y = Ops.Sum(used);
        Ops.Exp(Probe.Of(y, "after", told.Add));
        Calls.Clear();
        tape.Backward(y);
        Assert.That(told, Is.EquivalentTo(new[] { "run used", "release used", "release beside", "release after" }));
        Assert.That(Calls, Does.Not.Contain("UnaryBackward"));
    }

    [Test]
    public void The_first_part_of_a_gradient_is_stored_not_added()
    {
        using var tape = new Tape(device);
        var x = tape.Watch(Vector(1, 2));
        var y = Ops.Reshape(Probe.Of(x, "a", told.Add), new Shape(2, 1));
        var seed = Tensor.From<float>(device, [5, 7], new Shape(2, 1));
        Calls.Clear();
        var before = device.OutstandingBuffers;
        tape.Backward(y, seed);
        Assert.That(Calls, Is.Empty, "an alias needs no kernel, and nothing was zeroed");
        Assert.That(device.OutstandingBuffers, Is.EqualTo(before));
        Assert.That(tape.Gradient(x)!.ToArray<float>(), Is.EqualTo(new float[] { 5, 7 }));
    }

    [Test]
    public void A_diamond_adds_the_second_part()
    {
        using var tape = new Tape(device);
        var x = tape.Watch(Vector(1, 2));
        var y = Ops.Add(Ops.Mul(x, Vector(3, 4)), Ops.Mul(x, Vector(5, 6)));
        Calls.Clear();
        tape.Backward(y, Vector(1, 10));
        Assert.That(tape.Gradient(x)!.ToArray<float>(), Is.EqualTo(new float[] { 8, 100 }));
        Assert.That(Calls, Is.EqualTo(new[] { "BinaryBackward", "BinaryBackward", "Binary" }));
    }

    [Test]
    public void Adding_a_part_never_writes_into_memory_that_others_hold()
    {
        using var tape = new Tape(device);
        var x = tape.Watch(Vector(1, 2));
        var seed = Vector(3, 5);
        // Both parts are aliases of the seed.
        tape.Backward(Ops.Add(x, x), seed);
        Assert.That(tape.Gradient(x)!.ToArray<float>(), Is.EqualTo(new float[] { 6, 10 }));
        Assert.That(seed.ToArray<float>(), Is.EqualTo(new float[] { 3, 5 }));
    }

    [Test]
    public void Saved_values_are_given_back_while_the_walk_goes_on()
    {
        const int length = 12;
        using var tape = new Tape(device);
        var left = -1;
        Tensor y;
        using (var inner = device.Scope())
        {
            y = tape.Watch(Vector(0.5f, 0.25f));
            y = Probe.Of(y, "first", t => left = t == "run first" ? device.OutstandingBuffers : left);
            for (var i = 0; i < length; i++) y = Ops.Sigmoid(y);
            inner.Keep(y);
        }
        var seed = Vector(1, 1);
        Assert.That(device.OutstandingBuffers, Is.GreaterThanOrEqualTo(length));
        tape.Backward(y, seed);
        // The output, the seed, the input that the first node saved, and the gradient that has come this far.
        Assert.That(left, Is.EqualTo(4));
    }

    [Test]
    public void After_the_walk_only_gradients_are_held()
    {
        using var tape = new Tape(device);
        using (device.Scope())
        {
            var x = tape.Watch(Vector(1, 2));
            tape.Backward(Ops.Sum(Ops.Exp(Ops.Square(x))));
        }
        Assert.That(device.OutstandingBuffers, Is.EqualTo(1));
        tape.Dispose();
        Assert.That(device.OutstandingBuffers, Is.Zero);
        Assert.That(tape.Dispose, Throws.Nothing);
    }

    [Test]
    public void A_tape_that_never_ran_gives_everything_back()
    {
        using (device.Scope())
        {
            using var tape = new Tape(device);
            Ops.Sum(Ops.Exp(Probe.Of(tape.Watch(Vector(1, 2)), "a", told.Add)));
        }
        Assert.That(told, Is.EqualTo(new[] { "release a" }));
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void A_tape_runs_once()
    {
        using var tape = new Tape(device);
        var x = tape.Watch(Vector(3));
        var y = Ops.Square(x);
        tape.Backward(y);
        Assert.That(() => tape.Backward(y), Throws.InvalidOperationException.With.Message.Contains("this tape has run"));
        Assert.That(tape.Gradient(x)!.Item(), Is.EqualTo(6), "the refusal changes nothing");
    }

    [Test]
    public void A_gradient_that_nothing_reached_is_absent()
    {
        using var tape = new Tape(device);
        var (x, other) = (tape.Watch(Vector(3)), tape.Watch(Vector(4)));
        tape.Backward(Ops.Square(x));
        Assert.That(tape.Gradient(other), Is.Null);
    }

    private Tensor Vector(params float[] values) => Tensor.From<float>(device, values, new Shape(values.Length));
}
