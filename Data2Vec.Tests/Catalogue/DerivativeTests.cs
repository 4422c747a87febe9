using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Catalogue;

/// <summary>The derivatives of every tiny case against finite differences in double.</summary>
public sealed class DerivativeTests
{
    private Device reference = null!;

    [OneTimeSetUp]
    public void Open() => reference = BenchDevice.Open("reference");

    [OneTimeTearDown]
    public void Close() => reference.Dispose();

    [TearDown]
    public void No_buffer_is_left() => Assert.That(reference.OutstandingBuffers, Is.Zero);

    [TestCaseSource(nameof(Tiny))]
    public void Agrees_with_finite_differences(string id)
    {
        var row = GradientProof.Prove(reference, Cases.Cases.Single(c => c.Id == id));
        Assert.That(row.Status, Is.EqualTo(Status.Passed), row.Reason);
        Assert.That(row.Derivatives, Is.GreaterThan(0));
    }

    [Test]
    public void A_wrong_derivative_is_found()
    {
        // The derivative of x² taken as that of x: detaching one factor halves it.
        var wrong = new OpCase("Binary", "half a square")
        {
            Inputs = [Input.Normal("x", 5)], Run = o => Ops.Mul(o[0], o[0].Detach()),
        };
        Assert.That(GradientProof.Prove(reference, wrong).Status, Is.EqualTo(Status.Failed));
    }

    private static IEnumerable<string> Tiny => Cases.Cases
        .Where(c => c.Size == CaseSize.Tiny && GradientProof.SkipReason(c) is null).Select(c => c.Id);
}
