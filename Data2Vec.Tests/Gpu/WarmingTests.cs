using System.Text.Json;
using Data2Vec.Kernels.Platform;
using Data2Vec.Tests.Runs;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// The second run on a device that compiles kernels loads all that it needs before its first update, and comes to the
/// same.
/// </summary>
public sealed class WarmingTests
{
    private static readonly string[] Settings = ["steps=1", "warmup_steps=0", "batch_size=2", "micro_batches=1"];

    [TestCase("ilgpu:cpu", Explicit = true, Reason = "Takes a minute; .ci/run runs it.", Category = "Slow")]
    [TestCase("emulator")]
    public void After_warming_the_first_update_loads_nothing(string device)
    {
        using var tiny = new TinyRun();
        var shared = Environment.GetEnvironmentVariable(KernelCache.Variable);
        try
        {
            var own = Path.Combine(tiny.Root, "kernels");
            Environment.SetEnvironmentVariable(KernelCache.Variable, own);
            var (cold, words) = Run("cold");
            Assert.That(Count(cold, "warm_kernels"), Is.Zero);
            Assert.That(Count(cold, "first_update_kernels"), Is.GreaterThan(20));
            Assert.That(words, Does.Contain("0 kernels that such runs use are loaded"));

            (var warm, words) = Run("warm");
            Assert.That(Count(warm, "first_update_kernels"), Is.Zero);
            Assert.That(Count(warm, "warm_kernels"), Is.GreaterThanOrEqualTo(Count(cold, "first_update_kernels")));
            Assert.That(words, Does.Contain($"{Count(warm, "warm_kernels")} kernels that such runs use are loaded"));
            Assert.That(warm.GetProperty("warm_seconds").GetDouble(), Is.Positive);
            Assert.That(Trained("warm"), Is.EqualTo(Trained("cold")));

            foreach (var file in Directory.GetFiles(own, "*", SearchOption.AllDirectories))
                File.WriteAllText(file, "damaged");
            var (damaged, _) = Run("damaged");
            Assert.That(Count(damaged, "first_update_kernels"), Is.EqualTo(Count(cold, "first_update_kernels")));
            Assert.That(Trained("damaged"), Is.EqualTo(Trained("cold")));
        }
        finally
        {
            Environment.SetEnvironmentVariable(KernelCache.Variable, shared);
        }

        string[] Trained(string name) => RunFiles.TrainedHashes(tiny.Folder(name));

        (JsonElement Summary, string Words) Run(string name)
        {
            var arguments = tiny.Arguments(name, Settings).Select(a => a == "cpu" ? device : a);
            var words = Runs.CommandLine.Succeed([.. arguments]);
            return (RunFiles.Summary(tiny.Folder(name)), words);
        }
    }

    [Test]
    public void A_device_that_compiles_nothing_has_nothing_to_tell()
    {
        using var tiny = new TinyRun();
        var words = tiny.Train("run", Settings);
        var summary = RunFiles.Summary(tiny.Folder("run"));
        foreach (var key in new[] { "warm_seconds", "warm_kernels", "first_update_kernels" })
            Assert.That(summary.GetProperty(key).ValueKind, Is.EqualTo(JsonValueKind.Null), key);
        Assert.That(words, Does.Not.Contain("kernels"));
    }

    private static int Count(JsonElement summary, string key) => summary.GetProperty(key).GetInt32();
}
