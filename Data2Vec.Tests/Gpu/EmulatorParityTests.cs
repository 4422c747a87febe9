using Data2Vec.Bench.Running;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Ilgpu;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// Every kernel, hand-written or of ILGPU's as it is compiled for a GPU, takes part in the catalogue on the emulator and agrees
/// with the oracle.
/// </summary>
public sealed class EmulatorParityTests
{
    /// <summary>The only reasons to leave a case out, and only in bfloat16.</summary>
    private static readonly string[] Reasons =
    [
        "the state of an optimiser is float32",
        "bfloat16 has too few digits for this case: a wrong output would not be noticed",
    ];

    /// <summary>Kernels that the catalogue cannot reach, and where they are held.</summary>
    private static readonly string[] Elsewhere =
    [
        // Works on integers alone: every type launches the one of float32.
        "smooth_l1.bf16 smooth_l1_bwd_owners",
        // For devices with less shared memory than this one: CudaConv1dNormTests.
        "conv1d.bf16 conv1d_norm_512_two_stages",
    ];

    [Test]
    public void Every_case_agrees_with_the_oracle([Values] bool ofIlgpu)
    {
        var outcome = ofIlgpu ? EmulatedCatalogue.OfIlgpuKernels : EmulatedCatalogue.OfOwnKernels;
        Assert.That(outcome.Rows, Has.Count.GreaterThan(1000));
        using (Assert.EnterMultipleScope())
        {
            foreach (var (type, id, row) in outcome.Rows)
            {
                if (row.Status == Status.Skipped && type == DType.BFloat16)
                    Assert.That(Reasons, Does.Contain(row.Reason), id);
                else Assert.That(row.Status, Is.EqualTo(Status.Passed), $"{id} in {type.Name()}: {row.Reason}");
            }
        }
    }

    [Test]
    public void Every_hand_written_kernel_takes_part() => Assert.That(
        CudaKernelList.All.Select(k => k.ToString()).Except(EmulatedCatalogue.OfOwnKernels.Counts.Keys), Is.EquivalentTo(Elsewhere));

    /// <summary>
    /// The same of ILGPU's: convolutions that fill a device with large tiles (the tile of "128x64" products, which do take part),
    /// and sums into strided layouts, which no operation of the engine asks for.
    /// </summary>
    private static readonly string[] ElsewhereOfIlgpu =
    [
        .. from what in new[] { "fwd", "bwd input", "bwd weights" } from type in new[] { "float32", "bfloat16" }
           select $"conv1d_{what} 128x64 {type}",
        "strided_copy_fwd_add float32", "strided_copy_fwd_add bfloat16",
    ];

    [Test]
    public void Every_ILGPU_kernel_takes_part() => Assert.That(
        KernelList.All.Select(k => k.Name).Except(EmulatedCatalogue.OfIlgpuKernels.Counts.Keys), Is.EquivalentTo(ElsewhereOfIlgpu));
}
