using System.Reflection;
using Data2Vec.Bench;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Ilgpu;
using Data2Vec.Kernels.Platform;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// Every ILGPU kernel is on the list, compiles to PTX without a GPU, and, where ptxas is, takes no more registers and shared
/// memory than the committed budget says, with nothing spilled.
/// </summary>
public sealed class IlgpuKernelListTests
{
    private static readonly Lazy<PtxCompiler> Compiler = new(() => new PtxCompiler());

    private static IReadOnlyDictionary<string, int[]> Budget { get; } = KernelBudget.Read(
        File.ReadLines(Path.Combine(Repository.Root, "Data2Vec.Tests/Gpu/ilgpu-kernels.tsv")));

    private static IEnumerable<string> Names => KernelList.All.Select(k => k.Name);

    [OneTimeTearDown]
    public void Close()
    {
        if (Compiler.IsValueCreated) Compiler.Value.Dispose();
    }

    [TestCaseSource(nameof(Names))]
    public void A_kernel_compiles_and_keeps_its_budget(string name)
    {
        var source = KernelList.All.Single(k => k.Name == name);
        var ptx = Compiler.Value.Compile(source);
        Assert.That(ptx, Does.Contain(".target sm_80").And.Contain(".entry"));
        Assert.That(PtxCompiler.EntryOf(ptx).Bytes, Is.EqualTo(source.ArgumentBytes), "bytes of its arguments");
        Assert.That(Budget, Does.ContainKey(name), "`bench kernels --budget` writes the table anew");
        if (GpuToolchain.Assembler is not { } assembler)
        {
            Assert.Ignore("compiled; no ptxas here to assemble it (scripts/gpu-toolchain.sh fetches it)");
            return;
        }
        var line = KernelBudget.Line(name, [.. KernelBudget.Architectures
            .AsParallel().AsOrdered().Select(a => Ptxas.Assemble(assembler, ptx, a).Values.Single())]);
        var taken = Array.ConvertAll(line.Split('\t')[1..], int.Parse);
        for (var i = 0; i < taken.Length; i++)
            Assert.That(taken[i], Is.LessThanOrEqualTo(Budget[name][i]), KernelBudget.Header.Split('\t')[i + 1]);
    }

    [Test]
    public void The_budget_spills_nothing_and_names_no_other_kernels()
    {
        Assert.That(Budget.Keys, Is.EquivalentTo(Names));
        Assert.That(Budget.Values.Select(v => v[^1]), Is.All.Zero, "spilled bytes");
    }

    [Test]
    public void Every_kernel_of_the_assembly_is_on_the_list()
    {
        var listed = KernelList.All.ToHashSet();
        var types = listed.Select(k => k.Method.DeclaringType!).ToHashSet();
        foreach (var field in types.SelectMany(Kernels))
            Assert.That(listed, Does.Contain(field.GetValue(null)), $"{field.DeclaringType}.{field.Name}");
        // A type of which nothing is listed at all has no instance above.
        var known = types.Select(t => t.IsGenericType ? t.GetGenericTypeDefinition() : t).ToHashSet();
        var all = typeof(IlgpuBackend).Assembly.GetTypes().Where(t => Kernels(t).Any());
        Assert.That(all, Is.Not.Empty.And.SubsetOf(known));
        Assert.That(Names, Is.Unique);
    }

    private static IEnumerable<FieldInfo> Kernels(Type type) =>
        type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(f => typeof(KernelSource).IsAssignableFrom(f.FieldType));
}
