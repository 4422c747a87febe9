using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Autograd;

/// <summary>A derivative that would read values overwritten since the forward call refuses, naming both operations.</summary>
public sealed class StaleValueTests
{
    private Device device = null!;
    private Scope scope = null!;
    private ParameterStore store = null!;
    private LinearLayer layer = null!;

    [SetUp]
    public void Open()
    {
        device = Device.Parse("cpu", 1);
        scope = device.Scope();
        store = new ParameterStore(device);
        layer = new LinearLayer(
            new ParameterScope(store, "layer", TeacherRule.Averaged), 3, 2, Initializers.Normal(1));
        store.Build(seed: 1);
    }

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        store.Dispose();
        device.Dispose();
    }

    [Test]
    public void An_update_between_forward_and_backward_is_noticed()
    {
        using var step = new StepState(device);
        AssertStale("Adam", () =>
        {
            store.ComputeGradientNorm(step);
            store.Update(new AdamOptions(), step);
        });
    }

    [Test]
    public void Loading_weights_between_forward_and_backward_is_noticed()
    {
        AssertStale("ParameterStore.Write", () => store.Write(ParameterPart.Student, 0, new double[6]));
        AssertStale("ParameterStore.Write", () => store.WriteBytes(ParameterPart.Student, 1, new byte[8]));
    }

    [Test]
    public void What_writes_elsewhere_disturbs_nobody()
    {
        using var step = new StepState(device);
        using var tape = new Tape(device);
        using var view = store.Student(tape);
        var y = Ops.Sum(layer.Forward(view, X()));
        store.UpdateTeacher(step);
        store.Write(ParameterPart.Teacher, 0, new double[6]);
        Assert.That(() => tape.Backward(y), Throws.Nothing);
    }

    [Test]
    public void A_view_that_outlives_an_update_reads_the_new_values()
    {
        using var view = store.Student();
        var before = layer.Forward(view, X()).ToArray<float>();
        store.Write(ParameterPart.Student, 0, new double[6]);
        Assert.That(layer.Forward(view, X()).ToArray<float>(), Is.Not.EqualTo(before).And.All.Zero);
    }

    [Test]
    public void Probabilities_that_are_written_again_are_noticed()
    {
        using var tape = new Tape(device);
        var q = Tensor.Full(device, new Shape(1, 2, 1, 4), DType.Float32, 0.5);
        var probabilities = Tensor.Zeros(device, new Shape(1, 1, 2, 2), DType.Float32);
        Ops.Attention(q, q, q, probabilities: probabilities);
        var x = tape.Watch(Tensor.Full(device, new Shape(1, 1, 2, 2), DType.Float32, 2));
        var y = Ops.Sum(Ops.Mul(x, probabilities));
        Ops.Attention(q, q, q, probabilities: probabilities);
        Assert.That(() => tape.Backward(y), Throws.InvalidOperationException.With.Message.EqualTo(
            "Mul: the value saved for backward was overwritten by Attention after the forward call."));
    }

    private void AssertStale(string writer, Action write)
    {
        using var tape = new Tape(device);
        using var view = store.Student(tape);
        var y = Ops.Sum(layer.Forward(view, X()));
        write();
        Assert.That(() => tape.Backward(y), Throws.InvalidOperationException.With.Message.EqualTo(
            $"Linear: the value saved for backward was overwritten by {writer} after the forward call."));
    }

    private Tensor X() => Tensor.From<float>(device, [1, 2, 3], new Shape(1, 3));
}
