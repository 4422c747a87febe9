using Data2Vec.Bench.Conformance;
using Data2Vec.Engine;
using NUnit.Framework;

namespace Data2Vec.Tests.Conformance;

/// <summary>Every suite of the recorded fixtures, on Reference in double and on the CPU in float32.</summary>
public sealed class ConformanceTests
{
    private static IEnumerable<TestCaseData> Suites()
    {
        foreach (var suite in new[]
        {
            "numerics", "ops", "optim", "pretrain-text", "pretrain-audio", "pretrain-vision", "models", "masks",
            "audio",
        })
        {
            foreach (var folder in Fixtures.Folders(suite))
            {
                var place = folder.StartsWith(Fixtures.CopiedRoot, StringComparison.Ordinal) ? "copied" : "shared";
                // Host code is the same on every device: one tells all.
                if (suite is not ("masks" or "audio"))
                    yield return new TestCaseData(folder, "reference").SetArgDisplayNames(suite, place, "reference");
                yield return new TestCaseData(folder, "cpu").SetArgDisplayNames(suite, place, "cpu");
            }
        }
    }

    [TestCaseSource(nameof(Suites))]
    public void The_recorded_cases_are_met(string folder, string device)
    {
        var output = new StringWriter();
        using var d = Device.Parse(device);
        var code = ConformanceSuites.Run(folder, null, d, output);
        TestContext.Out.WriteLine(output);
        Assert.That(code, Is.Zero, output.ToString());
        Assert.That(d.OutstandingBuffers, Is.Zero);
    }
}
