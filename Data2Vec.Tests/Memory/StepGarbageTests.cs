using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Tests.Training;
using NUnit.Framework;

namespace Data2Vec.Tests.Memory;

/// <summary>What a whole training step makes for the collector: handles and nodes, however wide the model is.</summary>
public sealed class StepGarbageTests
{
    /// <summary>
    /// A layer, once in the teacher, once in the student and once backwards: 12 parameters as handles of both views with
    /// nodes in one (about 320 bytes each), 9 results twice (handle and memory count, 150 bytes each), 9 nodes with what they
    /// saved (100 to 700 bytes), 2 results of targets, about 20 gradients in flight (48 bytes each). Measured: 12 040 bytes.
    /// </summary>
    private const long BytesPerLayer = 12_500;

    /// <summary>Embeddings, head, targets, loss, tape, scopes, two views and their lists. Measured: 12 640 bytes.</summary>
    private const long BytesOutsideLayers = 13_200;

    /// <summary>On the host: position ids, padding, keys, loss rows of a position. Measured: 20 bytes.</summary>
    private const long BytesPerPosition = 22;

    [TestCase(2, 12)]
    [TestCase(4, 12)]
    [TestCase(2, 60)]
    public void A_step_stays_within_its_budget(int layers, int time)
    {
        using var device = Device.Parse("cpu", 2);
        using var step = new TextStep(device, layers, time: time);
        var bytes = Steady(step);
        TestContext.Out.WriteLine($"{layers} layers, {time} positions a row: {bytes} bytes a step");
        Assert.That(bytes, Is.LessThanOrEqualTo(
            BytesOutsideLayers + layers * BytesPerLayer + 3 * time * BytesPerPosition));
    }

    [Test]
    public void The_width_of_the_model_costs_nothing()
    {
        using var device = Device.Parse("cpu", 2);
        using var narrow = new TextStep(device, width: 32);
        using var wide = new TextStep(device, width: 128);
        var bytes = Steady(narrow);
        Assert.That(Steady(wide), Is.LessThanOrEqualTo(bytes));
    }

    [Test]
    public void Later_steps_make_no_more_than_early_ones_and_take_no_more_memory()
    {
        using var device = Device.Parse("cpu", 2);
        using var step = new TextStep(device, microBatches: 2);
        var early = Steady(step);
        var memory = device.Backend.Memory;
        for (var i = 0; i < 25; i++) step.Run();
        Assert.That(Steady(step), Is.LessThanOrEqualTo(early));
        Assert.That(device.Backend.Memory, Is.EqualTo(memory), "the same buffers are handed out again and again");
    }

    [Test]
    public void The_update_makes_no_garbage_at_all()
    {
        using var device = Device.Parse("cpu", 2);
        using var step = new TextStep(device);
        for (var i = 0; i < 3; i++) step.Run();
        step.Differentiate();
        var before = GC.GetAllocatedBytesForCurrentThread();
        step.Update();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void Memory_comes_and_goes_without_garbage([Values("cpu", "reference")] string name)
    {
        using var device = Device.Parse(name, 2);
        var bytes = new byte[4000];
        void Round()
        {
            var small = device.Backend.Allocate(100);
            var large = device.Backend.Allocate(4000);
            var view = new BufferView(large, 0, DType.Float32);
            device.Backend.Upload(bytes, view);
            device.Backend.Download(view, bytes);
            device.Backend.Free(small);
            device.Backend.Free(large);
        }
        Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++) Round();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    /// <summary>Bytes of one step when buffers, lists and workspaces have grown.</summary>
    private static long Steady(TextStep step)
    {
        for (var i = 0; i < 4; i++) step.Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        step.Run();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
