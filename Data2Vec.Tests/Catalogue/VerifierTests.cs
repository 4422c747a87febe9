using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Catalogue;

/// <summary>The verifier notices what it promises to notice.</summary>
public sealed class VerifierTests
{
    [Test]
    public void A_result_that_is_off_by_its_tolerance_fails()
    {
        // 0.1 % too large on the float32 device only: far outside, although every digit that one would print agrees.
        var row = Verify(new OpCase("Unary", "a little too large")
        {
            Inputs = [Input.Normal("x", 33)], Run = o => Ops.Affine(o[0], o.Type == DType.Float32 ? 1.001 : 1),
        });
        Assert.That(row.Status, Is.EqualTo(Status.Failed));
        Assert.That(row.Reason, Does.Contain("times its tolerance"));
    }

    [Test]
    public void A_composite_that_differs_fails()
    {
        var row = Verify(new OpCase("Unary", "another function")
        {
            Inputs = [Input.Normal("x", 33)], Run = o => Ops.Gelu(o[0]), Composite = o => Ops.Gelu(o[0], tanh: true),
        });
        Assert.That(row.Reason, Does.Contain("the composite gives another y"));
    }

    [Test]
    public void A_case_that_could_not_fail_fails()
    {
        // A sum that cancels completely: its tolerance is as wide as its terms, so zeros would pass.
        var row = Verify(new OpCase("Reduce", "nothing to see")
        {
            Inputs = [Input.Uniform("x", 1e8f, 2e8f, 33).Constant()], Run = o => Ops.Sub(Ops.Affine(o[0], 1, 1), o[0]),
            ReductionLength = 33,
        });
        Assert.That(row.Status, Is.EqualTo(Status.Failed));
    }

    [Test]
    public void A_missing_NaN_is_an_infinite_error()
    {
        Assert.That(Tolerance.Error([1, double.NaN], [1, 2], 1), Is.EqualTo(double.PositiveInfinity));
        Assert.That(Tolerance.Error([1, 2], [1, double.NaN], 1), Is.EqualTo(double.PositiveInfinity));
        Assert.That(Tolerance.Error([double.NaN], [double.NaN], 1), Is.Zero);
        Assert.That(Tolerance.Error([1, 2], [1], 1), Is.EqualTo(double.PositiveInfinity));
    }

    [Test]
    public void Inputs_do_not_depend_on_process_or_order()
    {
        var c = new OpCase("Unary", "drawn") { Inputs = [Input.Normal("x", 3), Input.Normal("y", 3)], Run = o => o[0] };
        var twin = new OpCase("Unary", "drawn") { Inputs = [Input.Normal("x", 5)], Run = o => o[0] };
        Assert.That(twin.Draw()[0][..3], Is.EqualTo(c.Draw()[0]));
        Assert.That(c.Draw()[1], Is.Not.EqualTo(c.Draw()[0]));
        Assert.That(c.Draw(seed: 1)[0], Is.Not.EqualTo(c.Draw()[0]));
    }

    private static Row Verify(OpCase c)
    {
        using var device = BenchDevice.Open("reference");
        using var oracle = BenchDevice.Open("reference");
        return new Verifier(device, oracle).Verify(c);
    }
}
