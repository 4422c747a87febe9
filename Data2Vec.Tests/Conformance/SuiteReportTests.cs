using Data2Vec.Bench.Conformance;
using NUnit.Framework;

namespace Data2Vec.Tests.Conformance;

/// <summary>How cases end, and that nothing that is not a plain comparison stays unsaid.</summary>
public sealed class SuiteReportTests
{
    private readonly Difference equal = new("x", 0, 0);
    private readonly Difference different = new("x", 1, 0.5);

    [Test]
    public void A_call_that_types_rule_out_is_refused_and_listed()
    {
        var (report, output) = Make();
        report.RunRefusal("f", "1", () => throw new SignatureException("a reduction is an enumeration"));
        report.RunRefusal("f", "2", () => equal);
        report.Summarise();
        Assert.That(report.Count(Outcome.Passed), Is.EqualTo(2));
        Assert.That(output.ToString(), Does.Contain(
            "passed 1: refused by its signature: a reduction is an enumeration: f/1"));
    }

    [Test]
    public void The_same_in_a_call_that_must_work_is_skipped_and_not_passed()
    {
        var (report, output) = Make();
        report.Run("f", "1", () => throw new SignatureException("other is a tensor"));
        report.Summarise();
        Assert.That(report.Count(Outcome.Skipped), Is.EqualTo(1));
        Assert.That(output.ToString(), Does.Contain("skipped 1: other is a tensor: f/1"));
    }

    [Test]
    public void A_decision_passes_and_is_listed_and_a_difference_or_another_error_fails()
    {
        var (report, output) = Make();
        report.Run("f", "1", () => throw new DecisionException("one frame gives 0"));
        report.Run("f", "2", () => [equal, different]);
        report.Run("f", "3", () => throw new ArgumentException("no"));
        report.RunRefusal("f", "4", () => different);
        report.Run("f", "5", () => []);
        report.Summarise();
        Assert.That(report.Count(Outcome.Passed), Is.EqualTo(1));
        Assert.That(report.Count(Outcome.Failed), Is.EqualTo(4));
        Assert.That(output.ToString(), Does.Contain("passed 1: one frame gives 0: f/1").And.Contain("FAIL s/f/3"));
    }

    private static (SuiteReport Report, StringWriter Output) Make()
    {
        var output = new StringWriter();
        return (new SuiteReport("s", null, output), output);
    }
}
