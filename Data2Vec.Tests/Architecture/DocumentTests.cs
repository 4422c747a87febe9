using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Data2Vec.Tests.Architecture;

/// <summary>What the documents say is there.</summary>
public sealed partial class DocumentTests
{
    [TestCase("README.md")]
    [TestCase("ARCHITECTURE.md")]
    [TestCase("CONTRIBUTING.md")]
    [TestCase("docs/emulator.md")]
    [TestCase("docs/fuzzing.md")]
    [TestCase("docs/results.md")]
    public void Every_path_that_a_document_names_exists(string document)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, document));
        var paths = Names().Matches(text).Select(m => m.Groups[1].Value.TrimEnd('.', '/')).Distinct().ToArray();
        Assert.That(paths, Is.Not.Empty);
        foreach (var path in paths)
        {
            var full = Path.Combine(Repository.Root, path);
            Assert.That(File.Exists(full) || Directory.Exists(full), $"{document} names {path}, which does not exist");
        }
    }

    [Test]
    public void The_README_shows_the_first_example_whole()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var example = File.ReadAllText(Path.Combine(Repository.Root, "examples", "TwoLayerNetwork", "Program.cs"));
        Assert.That(readme, Does.Contain("```csharp\n" + example + "```"));
    }

    [GeneratedRegex(@"[`(]((?:Data2Vec\.|kernels|examples|scripts|docs|\.ci)[A-Za-z0-9_./]*|[A-Z]+\.md)[`)]")]
    private static partial Regex Names();
}
