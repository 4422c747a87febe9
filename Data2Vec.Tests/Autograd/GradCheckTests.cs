using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Autograd;

/// <summary>The public gradient check finds what it promises to find.</summary>
public sealed class GradCheckTests
{
    private Device device = null!;

    [SetUp]
    public void Open() => device = Device.Parse("reference");

    [TearDown]
    public void Close() => device.Dispose();

    [Test]
    public void A_right_derivative_passes_and_every_entry_is_compared()
    {
        var report = GradCheck.Run(device, t => Ops.Mul(Ops.Exp(t[0]), Ops.Sigmoid(t[1])), [Normal(3, 4), Normal(4)]);
        Assert.That(report.Passes());
        Assert.That((report.Checked, report.Kinks), Is.EqualTo((16, 0)));
        Assert.That(report.WorstError, Is.LessThan(1e-8));
    }

    [Test]
    public void A_wrong_derivative_is_found()
    {
        // x² with one factor held fixed: the gradient is half of what it should be.
        var report = GradCheck.Run(device, t => Ops.Mul(t[0], t[0].Detach()), [Normal(5)]);
        Assert.That(report.Passes(), Is.False);
        Assert.That(report.Analytic, Is.EqualTo(report.Numeric / 2).Within(1e-6));
        Assert.That(report.DirectionError, Is.GreaterThan(1e-3));
    }

    [Test]
    public void The_report_names_the_worst_input_and_entry()
    {
        // The gradient of one entry of the second input is cut.
        Tensor Function(Tensor[] t)
        {
            var cut = Tensor.From<bool>(device, [false, false, true, false], new Shape(4));
            return Ops.Mul(t[0], Ops.Exp(Ops.Where(cut, t[1].Detach(), t[1])));
        }
        var report = GradCheck.Run(device, Function, [Normal(4), Normal(4)]);
        Assert.That(report.Passes(), Is.False);
        Assert.That((report.WorstInput, report.WorstIndex, report.Analytic), Is.EqualTo((1, 2L, 0.0)));
    }

    [Test]
    public void An_error_between_the_entries_compared_is_found_along_the_direction()
    {
        Tensor Function(Tensor[] t)
        {
            var bits = new bool[100];
            bits[37] = true;
            return Ops.Exp(Ops.Where(Tensor.From<bool>(device, bits, new Shape(100)), t[0].Detach(), t[0]));
        }
        var report = GradCheck.Run(device, Function, [Normal(100)], entriesPerInput: 4);
        Assert.That(report.Checked, Is.EqualTo(4));
        Assert.That(report.WorstError, Is.LessThan(1e-6));
        Assert.That(report.DirectionError, Is.GreaterThan(1e-3));
        Assert.That(report.Passes(), Is.False);
    }

    [Test]
    public void A_kink_is_told_from_a_wrong_derivative()
    {
        var at = new GradCheckInput([-1, 0, 2], new Shape(3));
        foreach (var op in new[] { UnaryOp.Relu, UnaryOp.Abs })
        {
            var report = GradCheck.Run(device, t => Ops.Unary(op, t[0]), [at]);
            Assert.That((report.Checked, report.Kinks), Is.EqualTo((2, 1)), $"{op}");
            Assert.That(report.Passes(), $"{op}: the other entries are right, along the direction too");
        }
    }

    [Test]
    public void A_wrong_derivative_beside_a_kink_is_found()
    {
        var at = new GradCheckInput([-1, 0, 2, 3], new Shape(4));
        Tensor Function(Tensor[] t)
        {
            var cut = Tensor.From<bool>(device, [false, false, false, true], new Shape(4));
            return Ops.Relu(Ops.Where(cut, t[0].Detach(), t[0]));
        }
        Assert.That(GradCheck.Run(device, Function, [at]).Passes(), Is.False);
    }

    [Test]
    public void A_function_of_kinks_alone_proves_nothing()
    {
        var report = GradCheck.Run(device, t => Ops.Unary(UnaryOp.Abs, t[0]), [new GradCheckInput([0, 0], new Shape(2))]);
        Assert.That((report.Checked, report.Kinks), Is.EqualTo((0, 2)));
        Assert.That(report.Passes(), Is.False);
    }

    [Test]
    public void A_derivative_that_is_no_number_fails()
    {
        var report = GradCheck.Run(device, t => Ops.Sqrt(t[0]), [new GradCheckInput([1, -1], new Shape(2))]);
        Assert.That(report.WorstError, Is.EqualTo(double.PositiveInfinity));
        Assert.That(report.Passes(), Is.False);
    }

    [Test]
    public void A_device_without_float64_is_refused()
    {
        using var cpu = Device.Parse("cpu", 1);
        Assert.That(() => GradCheck.Run(cpu, t => Ops.Exp(t[0]), [Normal(3)]), Throws.TypeOf<NotSupportedException>()
            .With.Message.Match("^GradCheck needs float64, which cpu .* does not have; use a Reference device.$"));
    }

    [Test]
    public void A_function_that_goes_through_float32_is_refused()
    {
        // Its differences would measure rounding: steps of 1e-5 are hundreds of ulps at most.
        Assert.That(() => GradCheck.Run(device, t => Ops.Cast(t[0], DType.Float32), [Normal(3)]),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("float32"));
    }

    [Test]
    public void An_input_that_only_takes_part_is_left_alone()
    {
        var report = GradCheck.Run(device, t => Ops.Mul(t[0], t[1]), [Normal(3), Normal(3) with { Differentiable = false }]);
        Assert.That(report.Checked, Is.EqualTo(3));
        Assert.That(report.Passes());
    }

    [Test]
    public void A_result_that_depends_on_no_input_is_an_error() => Assert.That(
        () => GradCheck.Run(device, t => t[0].Detach(), [Normal(3)]),
        Throws.InvalidOperationException.With.Message.Contains("does not depend on any differentiable input"));

    [Test]
    public void The_callers_numbers_are_not_touched()
    {
        var input = Normal(6);
        var before = (double[])input.Values.Clone();
        GradCheck.Run(device, t => Ops.Exp(t[0]), [input]);
        Assert.That(input.Values, Is.EqualTo(before));
    }

    private static GradCheckInput Normal(params int[] shape)
    {
        var stream = new PhiloxStream(new RandomKey(3, 0, 0, 0));
        var s = new Shape(shape);
        return new GradCheckInput([.. Enumerable.Range(0, (int)s.Count).Select(_ => stream.NextNormal())], s);
    }
}
