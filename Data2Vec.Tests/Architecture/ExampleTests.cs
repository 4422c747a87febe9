using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Data2Vec.Tests.Architecture;

/// <summary>Every example is short, runs, and prints what it should.</summary>
public sealed class ExampleTests
{
    private static readonly string[] Names =
        ["BenchmarkAKernel", "CheckAnOperation", "EmbedFiles", "PretrainOnYourData", "TwoLayerNetwork"];

    private static string Folder => Path.Combine(Repository.Root, "examples");

    [Test]
    public void Every_example_is_tested_here_and_short()
    {
        var programs = Directory.GetFiles(Folder, "Program.cs", SearchOption.AllDirectories);
        Assert.That(programs.Select(p => Path.GetFileName(Path.GetDirectoryName(p))), Is.EquivalentTo(Names));
        foreach (var program in programs)
            Assert.That(File.ReadAllLines(program), Has.Length.LessThanOrEqualTo(40), program);
    }

    [Test]
    public void The_network_of_two_layers_learns()
    {
        var lines = Run("TwoLayerNetwork").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(5));
        var errors = lines.Select((line, i) => Number(line, $@"^step {i + 1}00: mean squared error ([\d.]+)$")).ToArray();
        Assert.That(errors, Is.Ordered.Descending);
        Assert.That(errors[^1], Is.LessThan(0.005).And.LessThan(errors[0] / 20));
    }

    [Test]
    public void The_derivatives_of_an_operation_are_checked()
    {
        var output = Run("CheckAnOperation");
        Assert.That(Number(output, @"^15 derivatives, worst relative error (\S+), along a random direction "),
            Is.LessThan(1e-6));
    }

    [Test]
    public void A_kernel_is_timed()
    {
        var output = Run("BenchmarkAKernel");
        var milliseconds = Number(output, @"LayerNorm 8192 x 768 in ([\d.]+) ms, ");
        var rate = 2.0 * 8192 * 768 * 4 / milliseconds / 1e6;
        // The time is printed to 0.01 ms, the rate to 0.1 GB/s.
        Assert.That(Number(output, @" ms, ([\d.]+) GB/s\n$"),
            Is.EqualTo(rate).Within(0.05 + rate * 0.005 / (milliseconds - 0.005)));
    }

    [Test]
    public void A_model_is_trained_on_ones_own_text_and_its_features_are_read()
    {
        using var temporary = new TemporaryFolder();
        var text = Path.Combine(Repository.Root, "README.md");
        var output = Run("PretrainOnYourData", temporary.Path, "text", text, "4");
        Assert.That(output, Does.Match(@"step 1: loss [\d.]+\n(?s:.*)step 4: loss [\d.]+\n"));
        var end = Regex.Match(output, @"\nloss [\d.]+ -> [\d.]+; the model lies in (.*)/checkpoints/last\n$");
        Assert.That(end.Success, output);
        var run = end.Groups[1].Value;
        Assert.That(run, Does.StartWith(temporary.Path));
        var features = Run("EmbedFiles", temporary.Path, run, text);
        var documents = File.ReadAllLines(text).Length;
        Assert.That(features, Does.Match($@"^{documents} documents -> .*: float32 \({documents}, 192\)\n"));
        for (var row = 0; row < 5; row++)
            Assert.That(features, Does.Match($@"\nrow {row}: (-?\d\.\d{{4}}, ){{4}}\.\.\.\n"));
    }

    private static string Run(string name)
    {
        using var temporary = new TemporaryFolder();
        return Run(name, temporary.Path);
    }

    /// <summary>Runs the built example; what it writes into the folder for temporary files lands in the given one.</summary>
    private static string Run(string name, string temporary, params string[] arguments)
    {
        var configuration = AppContext.BaseDirectory.Contains("Debug", StringComparison.Ordinal) ? "Debug" : "Release";
        var program = Path.Combine(Folder, name, "bin", configuration, "net10.0", name + ".dll");
        Assert.That(program, Does.Exist, "the solution builds the examples");
        var dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var start = new ProcessStartInfo(dotnet, [program, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["TMPDIR"] = temporary, ["TMP"] = temporary },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        Assert.That(process.WaitForExit(TimeSpan.FromMinutes(2)), $"{name} did not end");
        Assert.That(process.ExitCode, Is.Zero, errors.Result);
        return output.Result.ReplaceLineEndings("\n");
    }

    private static double Number(string text, string pattern)
    {
        var match = Regex.Match(text, pattern);
        Assert.That(match.Success, $"{pattern}: {text}");
        return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
    }
}
