using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using Data2Vec.Kernels.Ilgpu;
using Data2Vec.Kernels.Platform;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>A CUDA device compiles an ILGPU kernel once for all processes, whatever becomes of the file.</summary>
public sealed class KernelModulesTests
{
    private static readonly KernelSource Source = KernelList.Find("layer_norm_fwd float32")!;

    private readonly TemporaryFolder folder = new();

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void A_kernel_is_compiled_once_and_its_file_mended()
    {
        var cache = new KernelCache(folder.Path);
        var path = cache.PathOf($"{PtxCompiler.Target} {Source.Name}");
        Assert.That(Load(), Is.EqualTo(1), "nothing is kept yet");
        var kept = File.ReadAllBytes(path);
        Assert.That(Load(), Is.Zero, "kept");
        File.WriteAllBytes(path, kept[..(kept.Length / 2)]);
        Assert.That(Load(), Is.EqualTo(1), "cut short");
        Assert.That(Load(), Is.Zero, "written anew");

        int Load()
        {
            using var runtime = new CudaRuntime(new EmulatedDriver(), cache);
            runtime.Prepare(Source.Name);
            runtime.Prepare(Source.Name);
            Assert.That(runtime.LoadedKernels, Is.EqualTo(new[] { Source.Name }));
            return runtime.Kernels.Compiled;
        }
    }

    [Test]
    public void Two_devices_at_once_share_the_folder()
    {
        using var shared = new TemporaryFolder();
        string[] names = ["layer_norm_fwd float32", "fill_fwd", .. KernelList.All.Select(k => k.Name).Take(6)];
        var compiled = new int[4];
        Parallel.For(0, compiled.Length, i =>
        {
            using var runtime = new CudaRuntime(new EmulatedDriver(), new KernelCache(shared.Path));
            foreach (var name in i % 2 == 0 ? names : names.Reverse()) runtime.Prepare(name);
            compiled[i] = runtime.Kernels.Compiled;
        });
        using var later = new CudaRuntime(new EmulatedDriver(), new KernelCache(shared.Path));
        foreach (var name in names) later.Prepare(name);
        Assert.That(later.Kernels, Is.EqualTo(new KernelCounts(later.LoadedKernels.Count, 0)));
        Assert.That(later.LoadedKernels, Is.Not.Empty.And.SubsetOf(names));
        Assert.That(compiled.Sum(), Is.GreaterThanOrEqualTo(later.Kernels.Loaded));
    }

    [Test]
    public void Every_kernel_is_found_by_its_name_and_no_name_is_taken_twice()
    {
        string[] names = [.. KernelList.All.Select(k => k.Name), .. CudaKernelList.All.Select(k => k.ToString())];
        Assert.That(names, Is.Unique);
        foreach (var kernel in KernelList.All) Assert.That(KernelList.Find(kernel.Name), Is.SameAs(kernel));
        foreach (var kernel in CudaKernelList.All)
            Assert.That(CudaKernelList.Find(kernel.ToString()), Is.SameAs(kernel));
        Assert.That(names, Has.None.Contains("\n"), "a journal has a line for each");
    }

    [Test]
    public void What_a_journal_says_of_unknown_kernels_is_passed_over()
    {
        using var own = new TemporaryFolder();
        var cache = new KernelCache(own.Path);
        using var backend = new CudaBackend(new CudaRuntime(new EmulatedDriver(), cache));
        var journal = new KernelJournal(cache, "cuda emulator (sm_80)");
        journal.Add("work", ["no such kernel", Source.Name, "matmul.bf16 none"]);
        Assert.That(backend.Warm("other work"), Is.Zero);
        Assert.That(backend.Warm("work"), Is.EqualTo(1));
        Assert.That(backend.Warm("work"), Is.Zero, "loaded already");
        var hand = CudaKernelList.All.First().ToString();
        journal.Add("work", [hand]);
        Assert.That(backend.Warm("work"), Is.EqualTo(1), "a hand-written one");
        backend.Remember("more");
        Assert.That(journal.Read("more"), Is.EquivalentTo(new[] { Source.Name, hand }));
    }
}
