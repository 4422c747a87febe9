using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;
using NUnit.Framework;

namespace Data2Vec.Tests.Pretraining;

/// <summary>Options of targets beyond the recorded runs.</summary>
public sealed class TargetRecipeTests
{
    [Test]
    public void Layers_that_the_teacher_lacks_are_refused()
    {
        using var device = Device.Parse("reference");
        using var scope = device.Scope();
        Tensor[] taps = [Random(device, 1), Random(device, 2)];
        Assert.That(() => TargetBuilder.Build(taps, new TargetRecipe(3)),
            Throws.ArgumentException.With.Message.Contains("top 3 layers; the teacher has 2"));
        Assert.That(() => TargetBuilder.Build(taps, new TargetRecipe(1) { Layers = [0, 2] }),
            Throws.ArgumentException.With.Message.Contains("expected some of 0 to 1"));
        Assert.Throws<ArgumentException>(() => TargetBuilder.Build(taps, new TargetRecipe(1) { Layers = [] }));
    }

    [Test]
    public void A_class_token_has_the_target_zero_and_does_not_enter_statistics()
    {
        using var device = Device.Parse("reference");
        using var scope = device.Scope();
        var tap = Random(device, 3);
        var recipe = new TargetRecipe(1, InstanceNorm: true) { ClassToken = true };
        var y = TargetBuilder.Build([tap], recipe);
        Assert.That(y.Shape, Is.EqualTo(tap.Shape));
        Assert.That(Ops.Slice(y, 1, 0, 1).ToDoubles(), Is.All.Zero);
        var without = TargetBuilder.Build([Ops.Slice(tap, 1, 1)], recipe with { ClassToken = false });
        Assert.That(Ops.Slice(y, 1, 1).ToDoubles(), Is.EqualTo(without.ToDoubles()));
    }

    [Test]
    public void The_variance_hinge_acts_below_its_margin_only_and_has_the_right_derivative()
    {
        using var device = Device.Parse("reference");
        using var scope = device.Scope();
        double[] rows = [0, 5, 0.2, -5, -0.1, 3];
        var x = Tensor.FromDoubles(device, rows, new Shape(3, 2), DType.Float64);
        var deviation = Math.Sqrt(CollapseVariance(rows, 0, 2) + 1e-6);
        Assert.That(Objective.VarianceHinge(x, 0.5).Item(), Is.EqualTo((0.5 - deviation) / 2).Within(1e-12));
        var check = GradCheck.Run(device, inputs => Objective.VarianceHinge(inputs[0], 0.5),
            [new GradCheckInput(rows, new Shape(3, 2))]);
        Assert.That(check.Passes(), check.ToString());
    }

    private static double CollapseVariance(double[] rows, int column, int width)
    {
        var values = rows.Where((_, i) => i % width == column).ToArray();
        return values.Sum(v => Math.Pow(v - values.Average(), 2)) / (values.Length - 1);
    }

    private static Tensor Random(Device device, uint site)
    {
        var stream = new PhiloxStream(new RandomKey(1, 0, 0, site));
        double[] values = [.. Enumerable.Range(0, 2 * 4 * 3).Select(_ => stream.NextNormal())];
        return Tensor.FromDoubles(device, values, new Shape(2, 4, 3), DType.Float64);
    }
}
