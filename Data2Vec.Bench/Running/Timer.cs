using System.Diagnostics;
using System.Runtime;
using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;

namespace Data2Vec.Bench.Running;

/// <summary>
/// Times a case on a device: repeated until at least 0.2 s and 5 runs are measured, after a warm-up that lasts until the
/// runtime has optimised the code. The shortest run is the kernel, the median what the machine was able to give. Of a device
/// with a queue the device's time is taken (<see cref="QueueTimer"/>), and what the host needs to queue a call beside it.
/// </summary>
internal sealed class Timer(Device device, IBounds bounds)
{
    // The runtime compiles what is called often again, in the background, 0.1 s after it has last seen something new: a
    // kernel's loops run many times slower until then.
    private const double QuietSeconds = 0.25;
    private const double LongestWarmUpSeconds = 3;
    private const double MeasuredSeconds = 0.2;
    private const int FewestRuns = 5;
    private const double Mega = 1 << 20;

    /// <summary>A line for forward, and one for forward and backward where there are gradients.</summary>
    public IReadOnlyList<Row> Time(OpCase c, DType type = DType.Float32)
    {
        var rows = new List<Row>();
        var runs = new Stack<CaseRun>();
        try
        {
            using var queue = Queue();
            var numbers = c.Draw();
            runs.Push(new CaseRun(c, device, type, numbers));
            var run = runs.Peek();
            for (var copies = queue?.Copies(run.Bytes) ?? 1; runs.Count < copies;)
                runs.Push(new CaseRun(c, device, type, numbers));
            Row Of(string pass, Func<CaseRun, Action> call, double flops, long bytes) => Line(
                c.Op, c.Name, pass, Time([.. runs.Select(call)], bytes, queue), flops, bytes, type);
            rows.Add(Of("forward", r => r.LaunchForward, c.Flops, run.Bytes));
            if (run.HasBackward)
            {
                rows.Add(Of("forward+backward", r => r.LaunchForwardAndBackward, c.Flops * (1 + c.BackwardFlops),
                    run.Bytes + run.BackwardBytes));
            }
        }
        catch (NotSupportedException e)
        {
            rows.Add(new Row(c.Op, c.Name, Status.Skipped) { Reason = e.Message });
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            rows.Add(new Row(c.Op, c.Name, Status.Failed) { Reason = $"{e.GetType().Name}: {e.Message}" });
        }
        finally
        {
            while (runs.TryPop(out var run)) run.Dispose();
        }
        return rows;
    }

    /// <summary>
    /// A whole update; the first ones fill pools and are not counted. Peaks are those of making the model and of all its
    /// updates: of buffers on a device that nothing else has used, and of the process.
    /// </summary>
    public Row Time(StepCase c)
    {
        PeakMemory.Restart();
        using var session = c.Start(device);
        void Update()
        {
            session.Update(monitor: false);
            if (session.MustReport) session.Reports();
        }
        using var queue = Queue();
        WarmUp(Update);
        var timing = queue?.MeasureUpdates(Update) ?? OnHost(Update);
        return Line(c.Modality, c.Shape, "update", timing, c.Flops, 0, c.Type) with
        {
            PeakBuffersMb = device.Backend.Memory.PeakBytes / Mega,
            PeakRssMb = PeakMemory.Read(),
        };
    }

    /// <summary>Calls at least three times, and until no method has been compiled for a while.</summary>
    private static void WarmUp(Action call)
    {
        var watch = Stopwatch.StartNew();
        var (calls, methods, newest) = (0, 0L, 0.0);
        double now;
        do
        {
            call();
            now = watch.Elapsed.TotalSeconds;
            if (JitInfo.GetCompiledMethodCount() is var count && count != methods) (methods, newest) = (count, now);
        }
        while (++calls < 3 || now - newest < QuietSeconds && now < LongestWarmUpSeconds);
    }

    /// <summary>For a device that queues.</summary>
    private QueueTimer? Queue() => device.Backend.Queues ? new QueueTimer(device) : null;

    private Timing Time(IReadOnlyList<Action> calls, long bytes, QueueTimer? queue)
    {
        WarmUp(() =>
        {
            foreach (var call in calls) call();
            device.Backend.Synchronize();
        });
        return queue?.Measure(calls, bytes) ?? OnHost(calls[0]);
    }

    /// <summary>A device that has done its work when a call returns.</summary>
    private static Timing OnHost(Action call)
    {
        var seconds = new List<double>(1 << 14);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        double total = 0;
        while (seconds.Count < FewestRuns || total < MeasuredSeconds && seconds.Count < 1 << 14)
        {
            var start = Stopwatch.GetTimestamp();
            call();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            total += seconds[^1];
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        seconds.Sort();
        return new Timing(seconds[0], seconds[seconds.Count / 2], seconds.Count, allocated / seconds.Count);
    }

    private Row Line(string op, string name, string pass, Timing timing, double flops, long bytes, DType type)
    {
        var arithmetic = flops > 0;
        var speed = (arithmetic ? flops : bytes) / timing.MinSeconds / 1e9;
        return new Row(op, name, Status.Passed)
        {
            Pass = pass,
            MinSeconds = timing.MinSeconds,
            MedianSeconds = timing.MedianSeconds,
            HostSeconds = timing.HostSeconds,
            Runs = timing.Runs,
            Speed = speed,
            Unit = arithmetic ? "GFLOP/s" : "GB/s",
            PercentOfBound = 100 * speed / (arithmetic ? bounds.GigaFlops(type) : bounds.GigaBytes(bytes)),
            AllocatedBytes = timing.AllocatedBytes,
            Bytes = bytes,
            Flops = flops,
        };
    }
}
