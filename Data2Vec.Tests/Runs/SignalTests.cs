using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>Ctrl-C and SIGTERM save, exit with 130 and 143, and the run goes on later as if nothing had been.</summary>
public sealed class SignalTests
{
    private static readonly string[] Settings =
        ["steps=400", "save_every=0", "threads=1", "batch_size=2", "micro_batches=1"];

    [TestCase("text", "TERM", 143)]
    [TestCase("text", "INT", 130)]
    [TestCase("vision", "TERM", 143)]
    [TestCase("audio", "INT", 130)]
    public void A_signal_saves_and_the_run_goes_on_later(string modality, string signal, int code)
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows has no such signals.");
        using var tiny = new TinyRun(modality);
        tiny.Train("whole", Settings);
        var arguments = tiny.Arguments("stopped", [.. Settings, "--resume", "auto"]);
        var steps = new List<int>();
        foreach (var step in new[] { 3, 90, 200 })
        {
            using var child = Child.Start(arguments, before: DefaultSignals);
            child.WaitFor($"step {step}/400 ");
            child.Signal(signal);
            var result = child.Wait();
            Assert.That((result.Code, result.Error), Is.EqualTo((code, "")));
            var saved = RunFiles.Checkpoints(tiny.Folder("stopped"))[^1];
            Assert.That(result.Output.TrimEnd(), Does.EndWith($"saved {tiny.Folder("stopped")}/checkpoints/{saved}"));
            Assert.That(File.Exists(Path.Combine(tiny.Folder("stopped"), "summary.json")), Is.False, "it is not over");
            steps.Add(int.Parse(saved["step-".Length..]));
            Assert.That(steps[^1], Is.GreaterThanOrEqualTo(step).And.LessThan(400));
        }
        Assert.That(steps, Is.Ordered.Ascending.And.Unique);
        tiny.Train("stopped", [.. Settings, "--resume", "auto"]);
        Assert.That(RunFiles.Hashes(tiny.Folder("stopped")), Is.EqualTo(RunFiles.Hashes(tiny.Folder("whole"))));
        Assert.That(RunFiles.Metrics(tiny.Folder("stopped")), Is.EqualTo(RunFiles.Metrics(tiny.Folder("whole"))));
    }

    [Test]
    public void A_second_signal_leaves_at_once_and_the_checkpoint_before_is_intact()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows has no such signals.");
        using var tiny = new TinyRun();
        var arguments = tiny.Arguments("run", [.. Settings, "--resume", "auto"]);
        using var first = Child.Start(arguments, before: DefaultSignals);
        first.WaitFor("step 8/400 ");
        first.Signal("TERM");
        Assert.That(first.Wait().Code, Is.EqualTo(143));
        var before = RunFiles.Hashes(tiny.Folder("run"));

        // A save takes two minutes here: only the second signal can end it.
        using var child = Child.Start(arguments, saveDelay: 10_000, before: DefaultSignals);
        child.WaitFor("step 200/400 ");
        child.Signal("TERM");
        Thread.Sleep(300);
        Assert.That(child.HasExited, Is.False, "it is saving");
        child.Signal("TERM");
        Assert.That(child.Wait().Code, Is.EqualTo(143));
        Assert.That(RunFiles.Hashes(tiny.Folder("run")), Is.EqualTo(before));
        Assert.That(tiny.Train("run", [.. Settings, "--resume", "auto"]),
            Does.Contain("removed what an interrupted save had left: .saving-step-00000"));
    }

    /// <summary>A test run in the background of a shell has Ctrl-C ignored, and children inherit that.</summary>
    private static string[] DefaultSignals => File.Exists("/usr/bin/env") && OperatingSystem.IsLinux()
        ? ["/usr/bin/env", "--default-signal=INT,TERM"] : [];
}
