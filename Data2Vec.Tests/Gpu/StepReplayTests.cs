using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using Data2Vec.Models;
using Data2Vec.Models.Configuration;
using Data2Vec.Tests.Runs;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// A training step that is seen again becomes a CUDA graph and is replayed: with other data, masks and dropout each time,
/// to the bits that come out without graphs.
/// </summary>
[TestFixtureSource(typeof(TinyRun), nameof(TinyRun.Modalities))]
public sealed class StepReplayTests(string modality)
{
    private const int Updates = 5;
    private const double LossShare = 1e-5, ParameterShare = 1e-4;

    [TestCase("precision=float32")]
    [TestCase("precision=bfloat16")]
    public void A_replayed_step_gives_the_bits_of_one_that_was_sent_piece_by_piece(string precision)
    {
        using var tiny = new TinyRun(modality);
        var config = Config(tiny, precision);
        var (sent, never) = Emulated(tiny, config, replays: false);
        var (replayed, counts) = Emulated(tiny, config, replays: true);
        Assert.That(never, Is.EqualTo(default(ReplayCounts)));
        Assert.That(counts, Is.EqualTo(new ReplayCounts(Sent: 2, Captured: 1, Replayed: Updates - 3)),
            "the first update makes buffers and sends which gradients there are");
        Assert.That(replayed.Losses, Is.EqualTo(sent.Losses));
        Assert.That(replayed.State, Is.EqualTo(sent.State));
    }

    [Test]
    public void Replayed_steps_come_to_what_the_cpu_comes_to()
    {
        using var tiny = new TinyRun(modality);
        var config = Config(tiny, "precision=float32");
        using var cpu = Device.Parse("cpu", 2);
        var expected = RunOn(cpu, tiny, config);
        var (actual, counts) = Emulated(tiny, config, replays: true);
        Assert.That(counts.Replayed, Is.EqualTo(Updates - 3));
        using (Assert.EnterMultipleScope())
        {
            for (var i = 0; i < Updates; i++)
                Assert.That(actual.Losses[i], Is.EqualTo(expected.Losses[i]).Within(LossShare * expected.Losses[i]), $"update {i + 1}");
            foreach (var (name, right) in expected.Student)
                Assert.That(actual.Student[name], Is.EqualTo(right).Within(ParameterShare), name);
        }
    }

    /// <summary>Steps of one length and depth: others are other steps.</summary>
    private PretrainConfig Config(TinyRun tiny, string precision)
    {
        string[] settings = [precision, "layer_drop=0", "min_samples=2500", "max_samples=2500", "max_tokens=8"];
        var preset = Presets.Of(modality, "tiny");
        var known = ConfigKeys.Of(preset).ToHashSet();
        return ConfigKeys.ApplyArguments(preset,
            tiny.Arguments("run", [.. settings.Where(s => known.Contains(s.Split('=')[0]))]).Where(a => a.Contains('=')));
    }

    private static (Outcome, ReplayCounts) Emulated(TinyRun tiny, PretrainConfig config, bool replays)
    {
        var backend = new CudaBackend(new CudaRuntime(new EmulatedDriver())) { ReplaysSteps = replays };
        using var device = new Device("emulator", backend);
        return (RunOn(device, tiny, config), backend.Replays);
    }

    private static Outcome RunOn(Device device, TinyRun tiny, PretrainConfig config)
    {
        using var folder = new RunFolder(tiny.Folder(Guid.NewGuid().ToString("N")), 1);
        folder.Prepare(resume: false);
        var task = config.CreateTask();
        task.Load(new PretrainOptions(folder.Path, [tiny.Data], device.Name), folder, new SilentObserver());
        using var session = task.Start(device);
        for (var i = 0; i < Updates; i++) session.Update(monitor: false);
        double[] losses = [.. session.Reports().Select(r => r.Loss)];
        var store = session.Store;
        byte[][] state = [.. Enum.GetValues<ParameterPart>().SelectMany(
            part => Enumerable.Range(0, store.Parameters.Count).Select(p => store.ReadBytes(part, p)))];
        return new Outcome(losses, state, Enumerable.Range(0, store.Parameters.Count).ToDictionary(
            p => store.Parameters[p].Name, p => store.Read(ParameterPart.Student, p)));
    }

    private sealed record Outcome(double[] Losses, byte[][] State, Dictionary<string, double[]> Student);
}
