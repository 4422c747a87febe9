using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Catalogue;

/// <summary>Every tiny case of the catalogue on every device and in both types against Reference in double, and every refusal.</summary>
[TestFixtureSource(nameof(Devices))]
public sealed class ParityTests(string name, DType type)
{
    private static readonly object[][] Devices =
    [
        ["reference", DType.Float32], ["delayed:reference", DType.Float32], ["cpu", DType.Float32], ["delayed", DType.Float32],
        ["reference", DType.BFloat16], ["cpu", DType.BFloat16],
    ];

    private Device device = null!;
    private Device oracle = null!;

    [OneTimeSetUp]
    public void Open()
    {
        device = BenchDevice.Open(name);
        oracle = BenchDevice.Open("reference");
    }

    [OneTimeTearDown]
    public void Close()
    {
        device.Dispose();
        oracle.Dispose();
    }

    [TearDown]
    public void No_buffer_is_left()
    {
        device.Backend.Synchronize();
        Assert.That(device.OutstandingBuffers, Is.Zero);
        Assert.That(oracle.OutstandingBuffers, Is.Zero);
    }

    [TestCaseSource(nameof(Tiny))]
    public void Agrees_with_the_oracle(string id)
    {
        var row = new Verifier(device, oracle, type).Verify(Cases.Cases.Single(c => c.Id == id));
        Assert.That(row.Status, Is.Not.EqualTo(Status.Failed), row.Reason);
    }

    [TestCaseSource(nameof(Refusals))]
    public void Refuses_with_one_clear_sentence(string id)
    {
        var row = new Verifier(device, oracle).Verify(Cases.Errors.Single(e => e.Id == id));
        Assert.That(row.Status, Is.EqualTo(Status.Passed), row.Reason);
    }

    private static IEnumerable<string> Tiny => Cases.Cases.Where(c => c.Size == CaseSize.Tiny).Select(c => c.Id);

    private static IEnumerable<string> Refusals => Cases.Errors.Select(e => e.Id);
}
