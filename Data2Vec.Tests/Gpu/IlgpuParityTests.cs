using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// The kernels of the ILGPU backend run every tiny case of the catalogue, on ILGPU's CPU accelerator with warps of 32 threads.
/// A case of each operation always; all of them in both types when asked for (--filter TestCategory=Long): EmulatedCatalogue has
/// them always, as PTX.
/// </summary>
public sealed class IlgpuParityTests
{
    private Device device = null!;
    private Device oracle = null!;

    private static IReadOnlyList<OpCase> Tiny { get; } =
        [.. Bench.Cases.Catalogue.Cases.Where(c => c.Size == CaseSize.Tiny)];

    /// <summary>The case of each operation with the fewest operands to compute on.</summary>
    private static IEnumerable<string> Smallest => Tiny.GroupBy(c => c.Op).Select(
        g => g.Where(c => c.Inputs.All(i => i.Shape.Count > 0)).MinBy(c => c.Inputs.Sum(i => i.Shape.Count))!.Id);

    [OneTimeSetUp]
    public void Open()
    {
        device = Device.Parse("ilgpu:cpu");
        oracle = Device.Parse("reference");
    }

    [OneTimeTearDown]
    public void Close()
    {
        device.Dispose();
        oracle.Dispose();
    }

    [TestCaseSource(nameof(Smallest))]
    public void A_case_of_each_operation_agrees_with_the_oracle(string id)
    {
        var row = new Verifier(device, oracle).Verify(Tiny.Single(c => c.Id == id));
        Assert.That(row.Status, Is.EqualTo(Status.Passed), row.Reason);
    }

    [Test, Explicit("Takes ten minutes, and the emulator runs the same kernels as a GPU would."), Category("Long")]
    public void Every_case_agrees_with_the_oracle([Values(DType.Float32, DType.BFloat16)] DType type)
    {
        using (Assert.EnterMultipleScope())
        {
            foreach (var c in Tiny)
            {
                var row = new Verifier(device, oracle, type).Verify(c);
                Assert.That(row.Status, Is.Not.EqualTo(Status.Failed), $"{c.Id}: {row.Reason}");
                if (type == DType.Float32) Assert.That(row.Status, Is.Not.EqualTo(Status.Skipped), $"{c.Id}: {row.Reason}");
            }
        }
    }
}
