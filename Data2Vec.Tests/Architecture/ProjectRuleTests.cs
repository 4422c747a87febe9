using System.Xml.Linq;
using NUnit.Framework;

namespace Data2Vec.Tests.Architecture;

/// <summary>The rules of ARCHITECTURE.md about who may know whom, read from the project files.</summary>
public sealed class ProjectRuleTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Data2Vec.Kernels"] = [],
        ["Data2Vec.Engine"] = ["Data2Vec.Kernels"],
        ["Data2Vec.Models"] = ["Data2Vec.Engine"],
        ["Data2Vec.Cli"] = ["Data2Vec.Models"],
        ["Data2Vec.Bench"] = ["Data2Vec.Models"],
        ["Data2Vec.Fuzz"] = ["Data2Vec.Models"],
    };

    [TestCaseSource(nameof(Projects))]
    public void A_project_references_only_the_one_below_it(string project)
    {
        var document = XDocument.Load(Path.Combine(Repository.Root, project, project + ".csproj"));
        var references = document.Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(((string)r.Attribute("Include")!).Replace('\\', '/')));
        Assert.That(references, Is.EquivalentTo(Allowed[project]));
    }

    [TestCaseSource(nameof(Projects))]
    public void Only_Kernels_may_use_unsafe_code_and_ILGPU(string project)
    {
        if (project == "Data2Vec.Kernels") return;
        var text = File.ReadAllText(Path.Combine(Repository.Root, project, project + ".csproj"));
        Assert.That(text, Does.Not.Contain("AllowUnsafeBlocks").And.Not.Contain("ILGPU"));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, project), "*.cs", SearchOption.AllDirectories))
        {
            if (Repository.IsBuildOutput(file)) continue;
            Assert.That(File.ReadAllText(file), Does.Not.Contain("LibraryImport").And.Not.Contain("DllImport"), file);
        }
    }

    private static IEnumerable<string> Projects => Allowed.Keys;
}
