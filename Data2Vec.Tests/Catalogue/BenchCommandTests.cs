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
    public void The_exit_code_tells_and_the_last_line_counts(string arguments, int expected)
    {
        var (code, output, _) = Run(arguments);
        Assert.That(code, Is.EqualTo(expected), output);
        Assert.That(output.TrimEnd().Split('\n')[^1], Does.Match(@"^ops \d+ cases \d+ failed \d+ skipped \d+$"));
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
        var code = BenchCommand.Run(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), output, errors);
        return (code, output.ToString(), errors.ToString());
    }
}
