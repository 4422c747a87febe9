using System.Diagnostics;
using Data2Vec.Kernels.Cuda;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// Every CUDA source compiles and assembles without spills, where the compiler is: scripts/gpu-toolchain.sh fetches it.
/// </summary>
public sealed class NvrtcTests
{
    private static string Toolchain { get; } = Environment.GetEnvironmentVariable("DATA2VEC_GPU_TOOLCHAIN")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache/data2vec/gpu-toolchain");

    [Test]
    public void Every_source_compiles_and_assembles_without_spills(
        [ValueSource(nameof(Sources))] string source, [Values("80", "90")] string level)
    {
        using var nvrtc = Nvrtc.TryLoad(Path.Combine(Toolchain, "root/usr/lib/x86_64-linux-gnu"), out var reason);
        if (nvrtc is null) Assert.Ignore($"no NVRTC here (scripts/gpu-toolchain.sh fetches it): {reason}");
        var ptx = nvrtc!.Compile(source, $"compute_{level}");
        Assert.That(ptx, Does.Contain($".target sm_{level}").And.Contain(".entry"));

        var ptxas = Path.Combine(Toolchain, "root/usr/bin/ptxas");
        if (!File.Exists(ptxas)) Assert.Ignore($"compiled; no ptxas at {ptxas} to assemble it");
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "kernel.ptx");
        File.WriteAllText(file, ptx);
        using var process = Process.Start(new ProcessStartInfo(ptxas, $"-arch=sm_{level} -v -o {file}.cubin {file}")
        {
            RedirectStandardError = true,
        })!;
        var log = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, log);
        Assert.That(log, Does.Contain("0 bytes spill stores, 0 bytes spill loads").And.Not.Match("[1-9][0-9]* bytes spill"));
    }

    [Test]
    public void A_source_that_does_not_compile_gives_the_compilers_words()
    {
        using var nvrtc = Nvrtc.TryLoad(Path.Combine(Toolchain, "root/usr/lib/x86_64-linux-gnu"), out var reason);
        if (nvrtc is null) Assert.Ignore($"no NVRTC here (scripts/gpu-toolchain.sh fetches it): {reason}");
        Assert.That(() => nvrtc!.Compile("smooth_l1.cu", "compute_80", "-Dfabsf=no_such_name"),
            Throws.InvalidOperationException.With.Message.Contains("smooth_l1.cu").And.Message.Contains("no_such_name"));
    }

    private static IEnumerable<string> Sources => KernelSources.Programs();
}
