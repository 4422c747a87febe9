using System.Diagnostics;
using System.Text.RegularExpressions;
using Data2Vec.Cli;
using NUnit.Framework;

namespace Data2Vec.Tests.Architecture;

/// <summary>What the documents say is there, and the examples do what they show.</summary>
public sealed partial class DocumentTests
{
    [TestCase("README.md")]
    [TestCase("ARCHITECTURE.md")]
    [TestCase("CONTRIBUTING.md")]
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

    [Test]
    public void Every_example_is_short()
    {
        foreach (var file in Directory.EnumerateFiles(
            Path.Combine(Repository.Root, "examples"), "Program.cs", SearchOption.AllDirectories))
            Assert.That(File.ReadAllLines(file), Has.Length.LessThanOrEqualTo(40), file);
    }

    [TestCase("TwoLayerNetwork", "", "step 500")]
    [TestCase("CheckAnOperation", "", "15 derivatives")]
    [TestCase("BenchmarkAKernel", "", "GB/s")]
    [TestCase("PretrainOnYourData", "text README.md 4", "the model lies in")]
    public void An_example_runs(string name, string arguments, string expected) =>
        Assert.That(RunExample(name, arguments), Does.Contain(expected));

    [Test]
    public void The_example_that_embeds_reads_what_a_run_wrote()
    {
        using var folder = new TemporaryFolder();
        var readme = Path.Combine(Repository.Root, "README.md");
        var written = Commands.Run(
            ["pretrain", "text", "--data", readme, "--out", folder.Path, "steps=0", "vocabulary_size=400", "probes=false"],
            TextWriter.Null, TestContext.Error);
        Assert.That(written, Is.Zero);
        Assert.That(RunExample("EmbedFiles", $"{folder.Path} {readme}"), Does.Contain("row 4: "));
    }

    private static string RunExample(string name, string arguments)
    {
        var configuration = AppContext.BaseDirectory.Contains("Debug", StringComparison.Ordinal) ? "Debug" : "Release";
        var program = Path.Combine(Repository.Root, "examples", name, "bin", configuration, "net10.0", name + ".dll");
        Assert.That(program, Does.Exist, "the solution builds the examples");
        var start = new ProcessStartInfo("dotnet", $"{program} {arguments}")
        {
            WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        Assert.That(process.WaitForExit(TimeSpan.FromMinutes(2)), $"{name} did not end");
        Assert.That(process.ExitCode, Is.Zero, errors.Result);
        return output.Result;
    }

    [GeneratedRegex(@"[`(]((?:Data2Vec\.|kernels|examples|scripts|docs|\.ci)[A-Za-z0-9_./]*|[A-Z]+\.md)[`)]")]
    private static partial Regex Names();
}
