using System.Runtime.InteropServices;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Tests.Catalogue;
using Data2Vec.Tests.Training;
using NUnit.Framework;

namespace Data2Vec.Tests.Devices;

/// <summary>The queue behaves like a device that runs later: nothing before its turn, everything in order, waits counted.</summary>
public sealed class DelayedBackendTests
{
    private DelayedBackend backend = null!;

    [SetUp]
    public void Open()
    {
        var recording = new RecordingBackend(new ReferenceBackend());
        backend = new DelayedBackend(recording);
        Calls = recording.Calls;
    }

    [TearDown]
    public void Close() => backend.Dispose();

    private List<string> Calls { get; set; } = [];

    [Test]
    public void Nothing_runs_before_it_is_waited_for()
    {
        var y = Floats(4);
        backend.Fill(new FillArgs { Y = y, Count = 4, Value = 3 });
        backend.Unary(new UnaryArgs { Op = UnaryOp.Square, X = y, Y = y, Count = 4 });
        Assert.That((Calls.Count, backend.Synchronizations), Is.EqualTo((0, 0L)));
        backend.Synchronize();
        Assert.That(Calls, Is.EqualTo(new[] { "Fill", "Unary" }));
        Assert.That(Read(y), Is.All.EqualTo(9));
        Assert.That(backend.Synchronizations, Is.EqualTo(2), "one explicit, one by reading");
        Free(y);
    }

    [Test]
    public void An_upload_takes_the_bytes_of_its_moment()
    {
        var y = Floats(4);
        float[] values = [1, 2, 3, 4];
        backend.Upload(MemoryMarshal.AsBytes<float>(values), y);
        Array.Clear(values);
        Assert.That(Read(y), Is.EqualTo(new float[] { 1, 2, 3, 4 }));
        Free(y);
    }

    [Test]
    public void Memory_is_used_by_everything_queued_before_it_is_given_back()
    {
        var (x, y) = (Floats(4), Floats(4));
        backend.Fill(new FillArgs { Y = x, Count = 4, Value = 5 });
        backend.Unary(new UnaryArgs { Op = UnaryOp.Square, X = x, Y = y, Count = 4 });
        Free(x);
        Assert.That(backend.Memory.OutstandingBuffers, Is.EqualTo(2), "its turn has not come");
        var z = Floats(4);
        Assert.That(z.Buffer, Is.Not.SameAs(x.Buffer), "and nobody else gets it before");
        Assert.That(Read(y), Is.All.EqualTo(25));
        Assert.That(backend.Memory.OutstandingBuffers, Is.EqualTo(2));
        Free(y);
        Free(z);
        backend.Synchronize();
        Assert.That(backend.Memory.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void Memory_given_back_reads_as_NaN()
    {
        var x = Floats(4);
        backend.Fill(new FillArgs { Y = x, Count = 4, Value = 5 });
        Free(x);
        Assert.That(Read(x), Is.All.NaN);
        var again = Floats(4);
        Assert.That(again.Buffer, Is.SameAs(x.Buffer));
        Assert.That(Read(again), Is.All.NaN, "what was never written is noticed too");
        Free(again);
    }

    [Test]
    public void Giving_back_twice_is_an_error()
    {
        var x = Floats(4);
        Free(x);
        Assert.That(() => Free(x), Throws.InvalidOperationException.With.Message.Contains("freed twice"));
        backend.Synchronize();
        Assert.That(() => Free(x), Throws.InvalidOperationException.With.Message.Contains("freed twice"));
    }

    [Test]
    public void A_host_pointer_outside_of_the_queue_is_an_error()
    {
        var x = Floats(4);
        Assert.That(() => HostTransfer.Upload(new byte[4], x),
            Throws.InvalidOperationException.With.Message.Contains("outside the queue"));
        using var direct = new ReferenceBackend();
        Assert.That(() => direct.Fill(new FillArgs { Y = x, Count = 4 }), Throws.InvalidOperationException);
        Free(x);
    }

    [Test]
    public void An_error_of_a_kernel_surfaces_at_the_wait()
    {
        var (rows, x, y) = (new BufferView(backend.Allocate(4), 0, DType.Int32), Floats(4), Floats(4));
        backend.Upload(BitConverter.GetBytes(7), rows);
        backend.Fill(new FillArgs { Y = x, Count = 4, Value = 1 });
        Assert.That(() => backend.GatherRows(new GatherRowsArgs { X = x, Rows = rows, Y = y, Count = 1, Columns = 4, XRows = 1 }),
            Throws.Nothing);
        Assert.That(backend.Synchronize, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(Read(x), Is.All.EqualTo(1), "the queue goes on behind it");
        Free(x);
        Free(y);
        Free(rows);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_training_step_waits_for_nothing(bool recompute)
    {
        using var device = Device.Parse("delayed", 2);
        using var step = new TextStep(device, microBatches: 2, recompute: recompute);
        // The first update tells the table which gradients exist, and fetches the counts in it before.
        step.Run();
        for (var i = 0; i < 3; i++)
        {
            var before = device.Backend.Synchronizations;
            step.Run();
            Assert.That(device.Backend.Synchronizations - before, Is.Zero);
            step.State.Download();
            Assert.That(device.Backend.Synchronizations - before, Is.EqualTo(1), "reading the norm is one wait");
        }
        Assert.That(step.State.Values.GradientNorm, Is.GreaterThan(0));
    }

    [Test]
    public void Whole_steps_have_the_bits_of_the_device_behind_the_queue()
    {
        double[][] Trained(string name)
        {
            using var device = Device.Parse(name, 2);
            using var step = new TextStep(device, microBatches: 2);
            for (var i = 0; i < 3; i++) step.Run();
            return step.Read(ParameterPart.Student);
        }
        Assert.That(Trained("delayed"), Is.EqualTo(Trained("cpu")));
        Assert.That(Trained("delayed:reference"), Is.EqualTo(Trained("reference")));
    }

    private BufferView Floats(int count) => new(backend.Allocate(4 * count), 0, DType.Float32);

    private void Free(BufferView view) => backend.Free(view.Buffer!);

    private float[] Read(BufferView view)
    {
        var values = new float[4];
        backend.Download(view, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
