using Data2Vec.Engine.Serialization;
using Data2Vec.Tests.Runs;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// A whole pre-training update of each modality by the GPU kernels, on ILGPU's CPU accelerator and on the emulator of CUDA
/// devices, comes to what the cpu backend comes to: loss, parameters, teacher and both moments, dropout and masks included.
/// </summary>
[TestFixtureSource(typeof(TinyRun), nameof(TinyRun.Modalities))]
public sealed class GpuStepTests(string modality)
{
    private const double LossShare = 1e-5;
    private const double ParameterShare = 1e-4;

    [TestCase("ilgpu:cpu", Explicit = true, Reason = "Takes minutes; .ci/run runs it.", Category = "Slow")]
    [TestCase("emulator")]
    public void An_update_equals_that_of_the_cpu(string device)
    {
        using var tiny = new TinyRun(modality);
        string[] settings = ["steps=1", "warmup_steps=0", "batch_size=2", "micro_batches=1"];
        tiny.Train("cpu", settings);
        Runs.CommandLine.Succeed([.. tiny.Arguments("gpu", settings).Select(a => a == "cpu" ? device : a)]);

        var (expected, actual) = (Loss(tiny.Folder("cpu")), Loss(tiny.Folder("gpu")));
        Assert.That(actual, Is.EqualTo(expected).Within(LossShare * expected));
        using var state = State(tiny.Folder("cpu"));
        using var other = State(tiny.Folder("gpu"));
        Assert.That(other.Entries.Select(e => e.Name), Is.EqualTo(state.Entries.Select(e => e.Name)));
        using (Assert.EnterMultipleScope())
        {
            foreach (var entry in state.Entries)
            {
                if (entry.Type != SafetensorsType.F32) continue;
                var right = state.ReadDoubles(entry.Name);
                var largest = right.Select(Math.Abs).DefaultIfEmpty().Max();
                var difference = right.Zip(other.ReadDoubles(entry.Name), (a, b) => Math.Abs(a - b)).DefaultIfEmpty().Max();
                // A moment is as large as its gradient; a parameter moves by the learning rate whatever its gradient is.
                var scale = entry.Name.StartsWith("moment", StringComparison.Ordinal) ? largest : 1;
                Assert.That(difference, Is.LessThanOrEqualTo(ParameterShare * scale), entry.Name);
            }
        }
    }

    private static double Loss(string run) => RunFiles.Summary(run).GetProperty("loss_first").GetDouble();

    private static SafetensorsFile State(string run) =>
        SafetensorsFile.Open(Path.Combine(run, "checkpoints", "last", "state.safetensors"));
}
