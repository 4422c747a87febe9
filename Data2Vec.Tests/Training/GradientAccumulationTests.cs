using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Training;

/// <summary>Gradients of parameters: stored first, then added, over uses and over micro-batches.</summary>
public sealed class GradientAccumulationTests
{
    private const int Rows = 8, Inputs = 5, Outputs = 3;

    private Device device = null!;
    private ParameterStore store = null!;
    private LinearLayer layer = null!;
    private LayerNormLayer norm = null!;

    [SetUp]
    public void Open()
    {
        device = Device.Parse("reference");
        store = new ParameterStore(device, DType.Float64);
        layer = new LinearLayer(new ParameterScope(store, "layer"), Inputs, Outputs, Initializers.Normal(1));
        norm = new LayerNormLayer(new ParameterScope(store, "norm"), Outputs);
        store.Build(seed: 1);
    }

    [TearDown]
    public void Close()
    {
        store.Dispose();
        device.Dispose();
    }

    [TestCase(2)]
    [TestCase(4)]
    [TestCase(8)]
    public void Micro_batches_add_up_to_the_gradient_of_one_batch(int parts)
    {
        store.ClearGradients();
        Differentiate(0, Rows);
        var whole = Gradients();
        store.ClearGradients();
        for (var i = 0; i < parts; i++) Differentiate(i * Rows / parts, Rows / parts);
        var added = Gradients();
        for (var p = 0; p < whole.Length; p++)
        {
            // The same terms in another order: Rows additions of doubles.
            var bound = Rows * 1e-16 * whole[p].Max(Math.Abs) * Rows;
            for (var i = 0; i < whole[p].Length; i++)
                Assert.That(added[p][i], Is.EqualTo(whole[p][i]).Within(bound), $"{store.Parameters[p].Name}[{i}]");
        }
    }

    [Test]
    public void An_update_from_micro_batches_is_that_of_one_batch()
    {
        using var step = new StepState(device);
        double[] Updated(int parts)
        {
            using var own = new ParameterStore(device, DType.Float64);
            var linear = new LinearLayer(new ParameterScope(own, "layer"), Inputs, Outputs, Initializers.Normal(1));
            own.Build(seed: 1);
            step.Values = new StepValues
            {
                GradientDivisor = Rows, MaxGradientNorm = 0.1, LearningRate = 0.01, WeightDecayScale = 1,
            };
            for (var update = 0; update < 3; update++)
            {
                step.Upload();
                own.ClearGradients();
                for (var i = 0; i < parts; i++)
                {
                    using var scope = device.Scope();
                    using var tape = new Tape(device);
                    using var view = own.Student(tape);
                    tape.Backward(Ops.Sum(Ops.Square(linear.Forward(view, X(i * Rows / parts, Rows / parts)))));
                }
                own.ComputeGradientNorm(step);
                own.Update(new AdamOptions(), step);
                step.Download();
            }
            return own.Read(ParameterPart.Student, 0);
        }
        var (whole, added) = (Updated(1), Updated(4));
        for (var i = 0; i < whole.Length; i++) Assert.That(added[i], Is.EqualTo(whole[i]).Within(1e-13));
    }

    [Test]
    public void What_lay_in_the_buffer_before_does_not_matter()
    {
        Differentiate(0, Rows);
        var right = Gradients();
        for (var i = 0; i < right.Length; i++)
            store.Write(ParameterPart.Gradient, i, Enumerable.Repeat(double.NaN, right[i].Length).ToArray());
        store.ClearGradients();
        Differentiate(0, Rows);
        Assert.That(Gradients(), Is.EqualTo(right), "the first part is stored, not added");
    }

    [Test]
    public void A_parameter_used_twice_has_the_sum_of_both()
    {
        void Run(Func<ParameterView, Tensor> loss)
        {
            using var scope = device.Scope();
            using var tape = new Tape(device);
            using var view = store.Student(tape);
            tape.Backward(loss(view));
        }
        Run(p => Ops.Sum(Ops.Square(layer.Forward(p, X(0, 4)))));
        Run(p => Ops.Sum(Ops.Exp(layer.Forward(p, X(4, 4)))));
        var apart = Gradients();
        store.ClearGradients();
        Run(p => Ops.Add(Ops.Sum(Ops.Square(layer.Forward(p, X(0, 4)))), Ops.Sum(Ops.Exp(layer.Forward(p, X(4, 4))))));
        var together = Gradients();
        for (var i = 0; i < apart[0].Length; i++)
            Assert.That(together[0][i], Is.EqualTo(apart[0][i]).Within(1e-14 * apart[0].Max(Math.Abs)));
    }

    [Test]
    public void Only_parameters_that_a_gradient_reached_have_one()
    {
        using (device.Scope())
        {
            using var tape = new Tape(device);
            using var view = store.Student(tape);
            var y = layer.Forward(view, X(0, 2));
            norm.Forward(view, y);
            tape.Backward(Ops.Sum(y));
        }
        Assert.That(Enumerable.Range(0, 4).Select(store.HasGradient), Is.EqualTo(new[] { true, true, false, false }));
        store.ClearGradients();
        Assert.That(Enumerable.Range(0, 4).Select(store.HasGradient), Is.All.False);
    }

    private void Differentiate(int first, int count)
    {
        using var scope = device.Scope();
        using var tape = new Tape(device);
        using var view = store.Student(tape);
        tape.Backward(Ops.Sum(Ops.Square(norm.Forward(view, Ops.Sigmoid(layer.Forward(view, X(first, count)))))));
    }

    private double[][] Gradients() => [.. Enumerable.Range(0, 4).Where(store.HasGradient)
        .Select(i => store.Read(ParameterPart.Gradient, i))];

    private Tensor X(int first, int count)
    {
        var stream = new PhiloxStream(new RandomKey(2, 0, 0, 0));
        var all = Enumerable.Range(0, Rows * Inputs).Select(_ => stream.NextNormal()).ToArray();
        return Tensor.From<double>(device, all.AsSpan(first * Inputs, count * Inputs), new Shape(count, Inputs));
    }
}
