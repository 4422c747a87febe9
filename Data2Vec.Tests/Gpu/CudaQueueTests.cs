using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>Which steps are replayed, and that whatever becomes of a step its results are right.</summary>
public sealed class CudaQueueTests
{
    private readonly CudaBackend backend = new(new CudaRuntime(new EmulatedDriver()));
    private readonly Device device;

    public CudaQueueTests() => device = new Device("emulator", backend);

    [OneTimeTearDown]
    public void Dispose() => device.Dispose();

    [Test]
    public void Equal_steps_are_replayed_with_what_each_of_them_uploads()
    {
        var before = backend.Replays;
        for (var i = 1; i <= 5; i++) Assert.That(Doubled([i, -i, 3]), Is.EqualTo(new[] { 2f * i, -2 * i, 6 }));
        Assert.That(Since(before), Is.EqualTo(new ReplayCounts(Sent: 1, Captured: 1, Replayed: 3)));
    }

    [Test]
    public void A_step_inside_of_which_the_host_waits_is_sent_as_it_comes()
    {
        var before = backend.Replays;
        for (var i = 0; i < 3; i++)
        {
            using var scope = device.Scope();
            float[] early;
            Tensor late;
            using (new StepScope(device))
            {
                var x = Tensor.From<float>(device, [i, 2, 3, 4, 5], new Shape(5));
                early = Ops.Affine(x, 3, 0).ToArray<float>();
                late = Ops.Affine(x, 4, 1);
            }
            Assert.That(early, Is.EqualTo(new float[] { 3 * i, 6, 9, 12, 15 }));
            Assert.That(late.ToArray<float>(), Is.EqualTo(new float[] { 4 * i + 1, 9, 13, 17, 21 }));
        }
        Assert.That(Since(before), Is.EqualTo(new ReplayCounts(Sent: 3, Captured: 0, Replayed: 0)));
    }

    [Test]
    public void Of_many_kinds_of_steps_the_last_used_are_kept()
    {
        const int kinds = 12, kept = 8;
        for (var n = 1; n <= 2 * kinds; n++) Check(n % kinds + 20);
        var before = backend.Replays;
        for (var n = 2 * kinds; n > 2 * kinds - kept; n--) Check(n % kinds + 20);
        Assert.That(Since(before).Replayed, Is.EqualTo(kept));
        before = backend.Replays;
        Check((2 * kinds - kept) % kinds + 20);
        Assert.That(Since(before), Is.EqualTo(new ReplayCounts(Sent: 0, Captured: 1, Replayed: 0)));

        void Check(int count)
        {
            var values = Enumerable.Range(count, count).Select(i => (float)i).ToArray();
            Assert.That(Doubled(values), Is.EqualTo(values.Select(v => 2 * v)));
        }
    }

    [Test]
    public void Steps_do_not_nest()
    {
        backend.BeginStep();
        Assert.That(backend.BeginStep, Throws.InvalidOperationException.With.Message.Contains("begun already"));
        backend.EndStep();
        Assert.That(backend.EndStep, Throws.InvalidOperationException.With.Message.Contains("no step has begun"));
    }

    private float[] Doubled(float[] values)
    {
        using var scope = device.Scope();
        Tensor y;
        using (new StepScope(device)) y = Ops.Affine(Tensor.From<float>(device, values, new Shape(values.Length)), 2, 0);
        return y.ToArray<float>();
    }

    private ReplayCounts Since(ReplayCounts before)
    {
        var now = backend.Replays;
        return new(now.Sent - before.Sent, now.Captured - before.Captured, now.Replayed - before.Replayed);
    }
}
