using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// The CUDA backend, its hand-written kernels and ILGPU's as they are compiled for a GPU, runs every tiny case of the
/// catalogue on the emulator, which also looks for reads of unwritten memory, races and barriers that not all reach.
/// </summary>
public sealed class EmulatorParityTests
{
    [Test]
    public void Every_case_agrees_with_the_oracle([Values(DType.Float32, DType.BFloat16)] DType type)
    {
        using var device = Device.Parse("emulator");
        using var oracle = Device.Parse("reference");
        using (Assert.EnterMultipleScope())
        {
            foreach (var c in Bench.Cases.Catalogue.Cases.Where(c => c.Size == CaseSize.Tiny))
            {
                var row = new Verifier(device, oracle, type).Verify(c);
                Assert.That(row.Status, Is.Not.EqualTo(Status.Failed), $"{c.Id}: {row.Reason}");
                if (type == DType.Float32) Assert.That(row.Status, Is.Not.EqualTo(Status.Skipped), $"{c.Id}: {row.Reason}");
            }
        }
    }
}
