using System.Collections.Concurrent;
using Data2Vec.Bench;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using Data2Vec.Kernels.Platform;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// Every CUDA source compiles for every architecture, spills nothing, keeps its budget, and is what the shipped PTX was made
/// of: where the compiler is, which scripts/gpu-toolchain.sh fetches.
/// </summary>
public sealed class NvrtcTests
{
    /// <summary>Where spilled bytes stand among the numbers of a line.</summary>
    private static readonly int Spills = CudaCommand.Levels.Length + 2;

    private static IReadOnlyDictionary<string, int[]> Budget { get; } = KernelBudget.Read(
        File.ReadLines(Path.Combine(Repository.Root, "Data2Vec.Tests/Gpu/cuda-kernels.tsv")));

    /// <summary>What the compiler made of a source for each level: compiled once, for all tests that look at it.</summary>
    private static readonly ConcurrentDictionary<string, string[]> Compiled = new();

    private static IEnumerable<string> Sources => CudaKernelList.Sources.Select(s => s.Name);

    private static IEnumerable<string> Kernels => CudaKernelList.All.Select(k => k.ToString());

    [TestCaseSource(nameof(Sources))]
    public void A_source_compiles_and_its_kernels_keep_their_budget(string name)
    {
        using var nvrtc = Compiler();
        if (GpuToolchain.Assembler is not { } assembler)
        {
            Assert.Ignore("no ptxas here (scripts/gpu-toolchain.sh fetches it)");
            return;
        }
        foreach (var (kernel, uses) in CudaCommand.Uses(assembler, Source(name), Ptx(nvrtc, name)))
        {
            Assert.That(Budget, Does.ContainKey(kernel), "`bench cuda --budget` writes the table anew");
            var taken = Array.ConvertAll(KernelBudget.Line(kernel, uses).Split('\t')[1..], int.Parse);
            for (var i = 0; i < taken.Length; i++)
                Assert.That(taken[i], Is.LessThanOrEqualTo(Budget[kernel][i]), $"{kernel}, number {i} of its line");
        }
    }

    [TestCaseSource(nameof(Sources))]
    public void The_shipped_ptx_is_what_the_compiler_makes_of_the_source(string name)
    {
        using var nvrtc = Compiler();
        var source = Source(name);
        Assert.That(source.Ptx(), Is.EqualTo(source.PtxHead + Ptx(nvrtc, name)[Array.IndexOf(CudaCommand.Levels, CudaCommand.Shipped)]),
            "`bench cuda --out kernels/ptx` writes it anew");
    }

    [TestCaseSource(nameof(Sources))]
    public void The_shipped_ptx_was_made_of_the_source_as_it_is(string name) =>
        Assert.That(Source(name).Ptx(), Does.StartWith(Source(name).PtxHead), "`bench cuda --out kernels/ptx` writes it anew");

    [Test]
    public void A_digest_covers_headers_and_options()
    {
        var digest = KernelSources.DigestOf("conv1d.cu", ["-DELEMENT_BF16=1"]);
        Assert.That(KernelSources.DigestOf("conv1d.cu", ["-DELEMENT_BF16=0"]), Is.Not.EqualTo(digest));
        Assert.That(KernelSources.FilesOf("conv1d.cu"), Does.Contain("common/element.cuh").And.Contain("common/swizzle.cuh"));
    }

    [Test]
    public void Every_source_compiles_for_the_architecture_after_the_budgets()
    {
        using var nvrtc = Compiler();
        Assert.That(nvrtc.Knows(80) && !nvrtc.Knows(81), "what it knows is what it is asked");
        if (!nvrtc.Knows(120)) Assert.Ignore("this compiler does not know sm_120 (CUDA 12.8 and later do)");
        foreach (var source in CudaKernelList.Sources)
            Assert.That(CudaCommand.Compile(nvrtc, source, "120"), Does.Contain(".target sm_120"), source.Name);
    }

    [Test]
    public void The_budget_spills_nothing_and_names_every_kernel()
    {
        Assert.That(Budget.Keys, Is.EquivalentTo(Kernels));
        Assert.That(Budget.Values.Select(v => v[Spills]), Is.All.Zero, "spilled bytes");
    }

    [TestCaseSource(nameof(Kernels))]
    public void Every_architecture_has_the_shared_memory_of_a_kernel(string name)
    {
        var kernel = CudaKernelList.All.Single(k => k.ToString() == name);
        Assert.That(Budget[name][^1], Is.EqualTo(kernel.MostSharedBytes), "dynamic shared bytes");
        // Three stages of 512 channels; where that is too much, two.
        var most = kernel.Entry == "conv1d_norm_512" ? EmulatedDriver.LargeShared : EmulatedDriver.SmallShared;
        Assert.That(Budget[name][Spills - 2] + kernel.MostSharedBytes, Is.LessThanOrEqualTo(most));
    }

    [Test]
    public void Every_program_is_used()
    {
        Assert.That(CudaKernelList.Sources.Select(s => s.File).Distinct(), Is.EquivalentTo(KernelSources.Programs()));
        Assert.That(Kernels, Is.Unique);
    }

    [TestCaseSource(nameof(Kernels))]
    public void An_argument_struct_is_as_large_as_the_kernel_says(string name)
    {
        var kernel = CudaKernelList.All.Single(k => k.ToString() == name);
        Assert.That(kernel.Source.Ptx(), Does.Match(
            $@"\.entry\s+{kernel.Entry}\s*\(\s*\.param\s+\.align\s+\d+\s+\.b8\s+\w+\[{kernel.ArgumentBytes}\]\s*\)"));
    }

    [Test]
    public void A_source_that_does_not_compile_gives_the_compilers_words()
    {
        using var nvrtc = Compiler();
        const string source = "layer_norm.cu";
        Assert.That(() => nvrtc.Compile(source, "compute_80", "-Dsqrtf=no_such_name"),
            Throws.InvalidOperationException.With.Message.Contains(source).And.Message.Contains("no_such_name"));
    }

    private static string[] Ptx(Nvrtc nvrtc, string name) => Compiled.GetOrAdd(name, _ => CudaCommand.Compile(nvrtc, Source(name)));

    private static CudaSource Source(string name) => CudaKernelList.Sources.Single(s => s.Name == name);

    private static Nvrtc Compiler()
    {
        var nvrtc = Nvrtc.TryLoad(GpuToolchain.Libraries, out var reason);
        if (nvrtc is null) Assert.Ignore($"no NVRTC here (scripts/gpu-toolchain.sh fetches it): {reason}");
        return nvrtc!;
    }
}
