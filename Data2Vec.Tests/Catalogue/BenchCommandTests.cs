using System.Text.Json;
using Data2Vec.Bench;
using NUnit.Framework;

namespace Data2Vec.Tests.Catalogue;

/// <summary>Exit codes and the last line of the bench command.</summary>
public sealed class BenchCommandTests
{
    [TestCase("verify LayerNorm --device reference", 0)]
    [TestCase("grad LayerNorm/odd", 0)]
    [TestCase("list", 0)]
    [TestCase("verify no-such-case --device reference", 1)]
    [TestCase("grad GradientNorm", 1)]
    [TestCase("verfy", 2)]
    [TestCase("", 2)]
    [TestCase("verify --divice reference", 2)]
    [TestCase("verify --device nonsense", 2)]
    [TestCase("verify --size huge", 2)]
    [TestCase("grad --device delayed", 2)]
    [TestCase("list --device nonsense", 2)]
    [TestCase("list no-such-case", 1)]
    [TestCase("list Softmax --size all --threads 2 --device cpu", 0)]
    [TestCase("verify Softmax/odd extra", 2)]
    [TestCase("verify --threads -1 --device reference", 2)]
    [TestCase("verify --threads many", 2)]
    [TestCase("verify Softmax/middle --threads 0", 0)]
    [TestCase("verify Softmax/middle --device cpu --threads 2 --size all", 0)]
    [TestCase("verify Softmax/middle --device delayed:reference", 0)]
    [TestCase("verify Softmax/middle --json /no/such/folder/rows.json", 2)]
    [TestCase("verify Softmax/middle --json /", 2)]
    [TestCase("grad Softmax/middle --threads 1 --size tiny", 0)]
    [TestCase("grad no-such-case", 1)]
    [TestCase("time no-such-case --threads 1", 1)]
    [TestCase("time Softmax/middle --threads 1", 0)]
    [TestCase("time Softmax/middle --device reference --threads 0", 0)]
    [TestCase("time --device nonsense", 2)]
    [TestCase("time Softmax/middle --device emulator --dtype bfloat16", 0)]
    [TestCase("counters Softmax/middle", 0)]
    [TestCase("counters no-such-case", 1)]
    [TestCase("counters Softmax/middle --device delayed", 2)]
    [TestCase("steps no-such-case --threads 1", 1)]
    [TestCase("steps --device nonsense", 2)]
    [TestCase("bdn no-such-case", 1)]
    [TestCase("bdn --device nonsense", 2)]
    [TestCase("conformance", 2)]
    [TestCase("conformance /no/such/folder", 2)]
    [TestCase("conformance SUITES/numerics", 0)]
    [TestCase("conformance SUITES/numerics no-such-case", 1)]
    [TestCase("conformance SUITES/numerics --device nonsense", 2)]
    [TestCase("conformance SUITES/numerics --threads -2", 2)]
    [TestCase("conformance SUITES/numerics --size huge", 2)]
    [TestCase("conformance SUITES/numerics --size all --threads 1 --device cpu", 0)]
    [TestCase("conformance SUITES/numerics --json /no/such/folder/rows.json", 2)]
    public void The_exit_code_tells_and_the_last_line_counts(string arguments, int expected)
    {
        var (code, output, _) = Run(arguments);
        Assert.That(code, Is.EqualTo(expected), output);
        Assert.That(output.TrimEnd().Split('\n')[^1], Does.Match(@"^ops \d+ cases \d+ failed \d+ skipped \d+$"));
    }

    [Test]
    public void Every_verb_has_the_same_options()
    {
        foreach (var verb in new[] { "list", "verify", "grad", "time", "conformance", "counters", "steps", "bdn" })
        {
            var (code, output, _) = Run($"{verb} --help");
            Assert.That(code, Is.Zero);
            foreach (var option in new[] { "filter>", "--device", "--threads", "--size <all|tiny>", "--json" })
                Assert.That(output, Does.Contain(option), verb);
        }
    }

    [Test]
    public void What_nobody_expected_is_a_failure_with_its_last_line()
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var parsed = new System.CommandLine.RootCommand().Parse([]);
        parsed.InvocationConfiguration.Output = output;
        parsed.InvocationConfiguration.Error = errors;
        var request = new Request(null, "cpu", null, true, null);
        Assert.That(BenchOptions.Run(parsed, request, () => throw new IndexOutOfRangeException("row 7")), Is.EqualTo(1));
        Assert.That(errors.ToString(), Does.Contain("row 7"));
        Assert.That(output.ToString().Trim(), Is.EqualTo("ops 0 cases 0 failed 1 skipped 0"));
    }

    [Test]
    public void Timing_prints_the_bounds_first_and_every_speed_beside_its_own()
    {
        var (code, output, _) = Run("time Linear/GELU --threads 1");
        Assert.That(code, Is.Zero);
        var lines = output.TrimEnd().Split('\n');
        Assert.That(lines[0], Does.StartWith("cpu: cpu ("));
        Assert.That(lines[1], Does.Match(@"^bounds: \d+ GFLOP/s multiply-adds, copies \d+ GB/s in 16 KB, .* GB/s in 256 MB \(1 threads\)"));
        Assert.That(lines[2], Does.Match(@"^ok   Linear/GELU.* forward +min +[\d.]+ us median +[\d.]+ us +[\d.]+ GFLOP/s +[\d.]+ %"));
    }

    [Test]
    public void A_mistyped_verb_gets_a_suggestion() => Assert.That(Run("verfy").Errors, Does.Contain("verify"));

    [Test]
    public void An_unknown_device_gets_the_list() => Assert.That(Run("verify --device gpu").Errors, Does.Contain("reference"));

    [Test]
    public void Every_row_is_written_as_JSON()
    {
        var file = Path.Combine(Path.GetTempPath(), $"data2vec-rows-{Guid.NewGuid():N}.json");
        try
        {
            Assert.That(Run($"verify Softmax/odd --device reference --json {file}").Code, Is.EqualTo(1));
            Assert.That(Run($"verify Softmax/middle --device reference --json {file}").Code, Is.Zero);
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            var rows = document.RootElement.GetProperty("rows").EnumerateArray().ToArray();
            Assert.That(rows, Has.Length.EqualTo(2));
            Assert.That(rows[0].GetProperty("op").GetString(), Is.EqualTo("Softmax"));
            Assert.That(rows[0].GetProperty("status").GetString(), Is.EqualTo("passed"));
            Assert.That(rows[0].GetProperty("error").GetDouble(), Is.LessThanOrEqualTo(1));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static (int Code, string Output, string Errors) Run(string arguments)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        string[] parts = [.. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(a => a.Replace("SUITES", Fixtures.CopiedRoot))];
        var code = BenchCommand.Run(parts, output, errors);
        return (code, output.ToString(), errors.ToString());
    }
}
