using Data2Vec.Bench;
using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Configuration;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Catalogue;

/// <summary>Of a device with a queue the device is timed, and what the host needs to queue a call beside it.</summary>
public sealed class DeviceTimingTests
{
    [TestCase("emulator")]
    [TestCase("ilgpu:cpu")]
    public void Marks_note_when_the_queue_passes_them(string name)
    {
        using var device = BenchDevice.Open(name);
        var timing = QueueTimer.TimingOf(device.Backend)!;
        Assert.That((timing.RunsOnHost, timing.CacheBytes), Is.EqualTo((true, 0L)));
        using var marks = timing.CreateMarks();
        marks.Set(0);
        Thread.Sleep(30);
        marks.Set(1);
        marks.Set(2);
        Assert.That(marks.Seconds(0, 1), Is.InRange(0.029, 5));
        Assert.That(marks.Seconds(1, 2), Is.InRange(0, marks.Seconds(0, 1)));
        marks.Set(1);
        Assert.That(marks.Seconds(0, 1), Is.GreaterThanOrEqualTo(marks.Seconds(0, 2)), "a mark set again notes anew");
    }

    [Test]
    public void Copies_of_the_device_copy()
    {
        using var device = BenchDevice.Open("emulator");
        var (timing, backend) = (QueueTimer.TimingOf(device.Backend)!, device.Backend);
        var (source, target) = (backend.Allocate(64), backend.Allocate(64));
        byte[] sent = [1, 2, 3, 4], got = [9, 9, 9, 9];
        backend.Upload(sent, new BufferView(source, 0, DType.UInt8));
        timing.Copy(source, target);
        backend.Download(new BufferView(target, 0, DType.UInt8), got);
        Assert.That(got, Is.EqualTo(sent));
        timing.Clear(target);
        backend.Download(new BufferView(target, 0, DType.UInt8), got);
        Assert.That(got, Is.All.Zero);
        backend.Free(source);
        backend.Free(target);
    }

    [Test]
    public void The_time_is_that_of_the_device_and_not_of_queueing()
    {
        using var device = BenchDevice.Open("delayed:reference");
        var slow = new OpCase("MatMul", "slow")
        {
            Inputs = [Input.Normal("a", 64, 64), Input.Normal("b", 64, 64)], Run = o => Ops.MatMul(o[0], o[1]),
            Flops = 2.0 * 64 * 64 * 64,
        };
        var row = new Bench.Running.Timer(device, new Bounds(1)).Time(slow)[0];
        Assert.That(row.Status, Is.EqualTo(Status.Passed), row.Reason);
        // A quarter of a million multiply-adds in double against one entry in a queue.
        Assert.That(row.MinSeconds, Is.GreaterThan(2 * row.HostSeconds!.Value));
        Assert.That(row.MinSeconds, Is.LessThanOrEqualTo(row.MedianSeconds!.Value));
        Assert.That(row.Runs, Is.GreaterThanOrEqualTo(5));
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void A_case_has_bounds_and_lines_on_the_emulator([Values] bool half)
    {
        using var device = BenchDevice.Open("emulator");
        var bounds = new DeviceBounds(device);
        bounds.Measure();
        var type = half ? DType.BFloat16 : DType.Float32;
        var c = Cases.Cases.Single(c => c.Id == "LayerNorm/whole vectors");
        var rows = new Bench.Running.Timer(device, bounds).Time(c, type);
        Assert.That(rows.Select(r => (r.Pass, r.Status)), Is.EqualTo(new (string?, Status)[]
        {
            ("forward", Status.Passed), ("forward+backward", Status.Passed),
        }), rows[^1].Reason);
        // x, y and two parameters of 64 columns; the host plays the device, so there is no cost of the host to tell.
        Assert.That((rows[0].Bytes, rows[0].HostSeconds), Is.EqualTo((type.Size() * (2L * 4 * 64 + 2 * 64), (double?)null)));
        Assert.That(rows[0].PercentOfBound, Is.EqualTo(100 * rows[0].Speed / bounds.GigaBytes(0)).Within(1e-9));
        Assert.That(bounds.ToString(), Does.Match(
            @"^bounds: copies [\d.]+ GB/s, [\d.]+ GFLOP/s float32 \(our largest product\), .*; the host plays the device$"));
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void Updates_are_timed_from_mark_to_mark()
    {
        using var device = BenchDevice.Open("delayed");
        var c = StepCase.Text(TextPretrainConfig.Presets["tiny"] with { VocabularySize = 300 }, batch: 2, time: 9);
        var row = new Bench.Running.Timer(device, new Bounds(1)).Time(c);
        Assert.That((row.Status, row.Pass), Is.EqualTo((Status.Passed, "update")));
        Assert.That(row.MinSeconds, Is.GreaterThan(row.HostSeconds!.Value / 10).And.LessThanOrEqualTo(row.MedianSeconds!.Value));
        Assert.That(row.Runs, Is.GreaterThanOrEqualTo(5));
        device.Backend.Synchronize(); // what was given back is queued too
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [TestCase("cuda (NVIDIA H100 80GB HBM3, sm_90, 132 multiprocessors)", 989e3, 67e3)]
    [TestCase("cuda (NVIDIA H100 PCIe, sm_90, 114 multiprocessors)", 756e3, 51e3)]
    [TestCase("ilgpu (NVIDIA A100-SXM4-40GB, cuda)", 312e3, 19.5e3)]
    [TestCase("ilgpu (NVIDIA L40S, cuda)", 362e3, 91.6e3)]
    [TestCase("ilgpu (NVIDIA L4, cuda)", 121e3, 30.3e3)]
    [TestCase("cuda (emulator (sm_80), sm_80, 4 multiprocessors)", null, null)]
    public void Peaks_are_looked_up_by_the_name_of_the_device(string device, double? half, double? single) => Assert.That(
        (KnownPeaks.GigaFlops(device, DType.BFloat16), KnownPeaks.GigaFlops(device, DType.Float32)), Is.EqualTo((half, single)));
}
