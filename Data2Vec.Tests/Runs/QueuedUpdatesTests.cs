using Data2Vec.Engine;
using Data2Vec.Models;
using Data2Vec.Models.Configuration;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>On a device with a queue no update waits for the one before, and what is told of each later is the same.</summary>
[TestFixtureSource(typeof(TinyRun), nameof(TinyRun.Modalities))]
public sealed class QueuedUpdatesTests(string modality)
{
    [TestCase("precision=float32")]
    [TestCase("precision=bfloat16")]
    public void Updates_wait_for_nothing(string precision)
    {
        using var tiny = new TinyRun(modality);
        var expected = Updates("cpu", out _);
        var actual = Updates("delayed", out var waits);
        Assert.That(waits, Is.EqualTo((0L, 2L)), "none inside updates; losses and step values are read");
        Assert.That(actual, Is.EqualTo(expected));

        IReadOnlyList<UpdateReport> Updates(string name, out (long Inside, long Reading) waits)
        {
            using var device = Device.Parse(name, 2);
            using var folder = new RunFolder(tiny.Folder(name + precision), 1);
            folder.Prepare(resume: false);
            var task = Config(tiny, precision).CreateTask();
            task.Load(new PretrainOptions(folder.Path, [tiny.Data], name), folder, new SilentObserver());
            using var session = task.Start(device);
            // The first update tells the table which gradients exist.
            session.Update(monitor: false);
            var before = device.Backend.Synchronizations;
            for (var i = 0; i < 4; i++) session.Update(monitor: false);
            Assert.That(session.MustReport, Is.EqualTo(name == "cpu"));
            var between = device.Backend.Synchronizations;
            var reports = session.Reports();
            waits = (between - before, device.Backend.Synchronizations - between);
            Assert.That(reports.Select(r => r.Step), Is.EqualTo(new[] { 1, 2, 3, 4, 5 }));
            Assert.That(session.Reports(), Is.Empty);
            return reports;
        }
    }

    [Test]
    public void A_run_logs_and_saves_the_same_as_on_the_device_behind_the_queue()
    {
        using var tiny = new TinyRun(modality);
        string[] settings = ["steps=11", "log_every=4", "save_every=3", "keep=100"];
        tiny.Train("cpu", settings);
        CommandLine.Succeed([.. tiny.Arguments("delayed", settings).Select(a => a == "cpu" ? "delayed" : a)]);
        Assert.That(RunFiles.Metrics(tiny.Folder("delayed")), Is.EqualTo(RunFiles.Metrics(tiny.Folder("cpu"))));
        Assert.That(RunFiles.TrainedHashes(tiny.Folder("delayed")), Is.EqualTo(RunFiles.TrainedHashes(tiny.Folder("cpu"))));
    }

    private PretrainConfig Config(TinyRun tiny, string precision)
    {
        var settings = tiny.Arguments("run").Where(a => a.Contains('=')).Append(precision);
        return ConfigKeys.ApplyArguments(Presets.Of(modality, "tiny"), settings);
    }
}
