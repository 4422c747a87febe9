using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Autograd;

/// <summary>Two layers as one operation: what the catalogue does not see of its backward.</summary>
public sealed class FeedForwardTests
{
    private static readonly Shape[] Shapes = [new(6, 8), new(24, 8), new(24), new(8, 24), new(8)];

    private Device device = null!;
    private Scope scope = null!;

    [SetUp]
    public void Open()
    {
        device = Device.Parse("cpu");
        scope = device.Scope();
    }

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        device.Dispose();
    }

    [Test]
    public void Gradients_are_those_of_the_two_layers_to_the_bit(
        [Values] Activation activation, [Values(1, 3)] int times)
    {
        var one = Gradients(o => Ops.FeedForward(o[0], o[1], o[2], o[3], o[4], activation), times);
        var two = Gradients(o => Ops.Linear(Ops.Linear(o[0], o[1], o[2], activation), o[3], o[4]), times);
        for (var i = 0; i < one.Length; i++) Assert.That(one[i], Is.EqualTo(two[i]), $"of operand {i}");
    }

    [Test]
    public void It_holds_no_more_memory_than_the_two_layers()
    {
        var one = Peak(o => Ops.FeedForward(o[0], o[1], o[2], o[3], o[4]));
        var two = Peak(o => Ops.Linear(Ops.Linear(o[0], o[1], o[2], Activation.Gelu), o[3], o[4]));
        Assert.That(one, Is.LessThanOrEqualTo(two));
    }

    [Test]
    public void A_saved_operand_that_is_overwritten_is_noticed([Values(0, 1, 3)] int operand)
    {
        using var tape = new Tape(device);
        var o = Operands();
        var y = Ops.FeedForward(tape.Watch(o[0]), tape.Watch(o[1]), o[2], tape.Watch(o[3]), o[4]);
        o[operand].Ref.Storage!.Written("Test");
        Assert.That(() => tape.Backward(Ops.Sum(y)), Throws.InvalidOperationException.With.Message.EqualTo(
            "FeedForward: the value saved for backward was overwritten by Test after the forward call."));
    }

    [Test]
    public void The_kernel_refuses_sums_without_an_activation_and_an_activation_without_sums_or_dx()
    {
        var x = Operands()[0].View;
        var args = new LinearBackwardArgs { DY = x, W = x, DX = x, Rows = 1, In = 1, Out = 1 };
        AssertRefused(args with { InputPreActivation = x }, "InputPreActivation was given, but no InputActivation.");
        AssertRefused(args with { InputActivation = Activation.Gelu }, "InputPreActivation was not given.");
        AssertRefused(
            args with { InputActivation = Activation.Gelu, InputPreActivation = x, DX = default }, "DX was not given.");
    }

    private static void AssertRefused(LinearBackwardArgs args, string sentence) => Assert.That(
        args.Check, Throws.ArgumentException.With.Message.EqualTo($"LinearBackward: {sentence}"));

    /// <summary>Of a block that is applied so many times over with the same weights.</summary>
    private float[][] Gradients(Func<Tensor[], Tensor> block, int times)
    {
        using var tape = new Tape(device);
        Tensor[] watched = [.. Operands().Select(tape.Watch)];
        var x = watched[0];
        for (var i = 0; i < times; i++) x = block([x, .. watched[1..]]);
        tape.Backward(Ops.Sum(Ops.Square(x)));
        return [.. watched.Select(w => tape.Gradient(w)!.ToArray<float>())];
    }

    private long Peak(Func<Tensor[], Tensor> block)
    {
        using var own = Device.Parse("cpu");
        using var inside = own.Scope();
        using var tape = new Tape(own);
        Tensor[] shapes = [.. new Shape[] { new(64, 32), new(512, 32), new(512), new(32, 512), new(32) }
            .Select(s => tape.Watch(Tensor.Full(own, s, DType.Float32, 0.01)))];
        tape.Backward(Ops.Sum(block(shapes)));
        return own.Backend.Memory.PeakBytes;
    }

    private Tensor[] Operands()
    {
        var random = new Random(5);
        return [.. Shapes.Select(s => Tensor.From<float>(
            device, [.. Enumerable.Range(0, (int)s.Count).Select(_ => (float)(random.NextDouble() - 0.5))], s))];
    }
}
