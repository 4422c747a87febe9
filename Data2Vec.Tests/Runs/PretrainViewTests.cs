using Data2Vec.Cli;
using Data2Vec.Models;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>What people read while a run goes on, and at its end.</summary>
public sealed class PretrainViewTests
{
    [TestCase(7.6, "eta 0:07")]
    [TestCase(125, "eta 2:05")]
    [TestCase(4305.2, "eta 71:45")]
    public void The_rest_of_a_run_is_told_in_minutes_and_seconds(double seconds, string expected)
    {
        using var output = new StringWriter { NewLine = "\n" };
        new PretrainView(output).Logged(new StepReport(1, 9, 0, 0, 0, 0, 0, 0, 0, 0, [], false, 0, 0, seconds));
        Assert.That(output.ToString().TrimEnd(), Does.EndWith(expected));
    }
}
