using System.Reflection;
using System.Runtime.CompilerServices;
using Data2Vec.Bench;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Ilgpu;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// Every ILGPU kernel compiles to PTX without a GPU, is on the list that is warmed, and, where ptxas is, takes no more registers
/// and shared memory than the committed budget says, with nothing spilled.
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
        var ptx = Compiler.Value.Compile(KernelList.All.Single(k => k.Name == name));
        Assert.That(ptx, Does.Contain(".target sm_80").And.Contain(".entry"));
        Assert.That(Budget, Does.ContainKey(name), "`bench kernels --budget` writes the table anew");
        if (PtxCompiler.FindAssembler() is not { } assembler)
        {
            Assert.Ignore("compiled; no ptxas here to assemble it (scripts/gpu-toolchain.sh fetches it)");
            return;
        }
        var line = KernelBudget.Line(name, [.. KernelBudget.Architectures.Select(a => PtxCompiler.Assemble(assembler, ptx, a))]);
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
        var listed = KernelList.All.Select(k => k.Method).ToHashSet();
        var known = listed.Select(m => (m.DeclaringType!.IsGenericType
            ? m.DeclaringType.GetGenericTypeDefinition() : m.DeclaringType, m.Name)).ToHashSet();
        foreach (var type in typeof(IlgpuBackend).Assembly.GetTypes())
        {
            foreach (var field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            {
                if (!typeof(KernelSource).IsAssignableFrom(field.FieldType)) continue;
                // The list must have at least one kernel of every field: compare by the declaring type of its method.
                Assert.That(known.Any(k => k.Item1 == type || k.Item1.DeclaringType == type), $"{type.Name}.{field.Name} is not listed");
            }
        }
        Assert.That(Names, Is.Unique);
    }
}
