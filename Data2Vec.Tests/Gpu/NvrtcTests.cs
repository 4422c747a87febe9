using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Ilgpu;
using Data2Vec.Kernels.Platform;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// Every CUDA source compiles and assembles without spills, where the compiler is: scripts/gpu-toolchain.sh fetches it.
/// </summary>
public sealed class NvrtcTests
{
    [Test]
    public void Every_source_compiles_and_assembles_without_spills(
        [ValueSource(nameof(Sources))] string source, [Values("80", "90")] string level, [Values("0", "1")] string bfloat16)
    {
        using var nvrtc = Nvrtc.TryLoad(GpuToolchain.Libraries, out var reason);
        if (nvrtc is null) Assert.Ignore($"no NVRTC here (scripts/gpu-toolchain.sh fetches it): {reason}");
        var ptx = nvrtc!.Compile(source, $"compute_{level}", $"-DELEMENT_BF16={bfloat16}");
        Assert.That(ptx, Does.Contain($".target sm_{level}").And.Contain(".entry"));

        if (GpuToolchain.Assembler is not { } assembler)
        {
            Assert.Ignore("compiled; no ptxas here to assemble it");
            return;
        }
        Assert.That(PtxCompiler.Assemble(assembler, ptx, $"sm_{level}").SpillBytes, Is.Zero);
    }

    [Test]
    public void A_source_that_does_not_compile_gives_the_compilers_words()
    {
        using var nvrtc = Nvrtc.TryLoad(GpuToolchain.Libraries, out var reason);
        if (nvrtc is null) Assert.Ignore($"no NVRTC here (scripts/gpu-toolchain.sh fetches it): {reason}");
        Assert.That(() => nvrtc!.Compile("smooth_l1.cu", "compute_80", "-Dfabsf=no_such_name"),
            Throws.InvalidOperationException.With.Message.Contains("smooth_l1.cu").And.Message.Contains("no_such_name"));
    }

    private static IEnumerable<string> Sources => KernelSources.Programs();
}
