using System.Diagnostics;
using Data2Vec.Bench.Cases;
using Data2Vec.Engine;

namespace Data2Vec.Bench.Running;

/// <summary>
/// Times a case on a device: repeated until at least 0.2 s and 5 runs are measured, after a warm-up that lets the runtime
/// optimise the code. The shortest run is the kernel, the median what the machine was able to give.
/// </summary>
internal sealed class Timer(Device device, Bounds bounds)
{
    private const double WarmUpSeconds = 0.1;
    private const double MeasuredSeconds = 0.2;
    private const int FewestRuns = 5;

    /// <summary>A line for forward, and one for forward and backward where there are gradients.</summary>
    public IReadOnlyList<Row> Time(OpCase c)
    {
        var rows = new List<Row>();
        try
        {
            using var run = new CaseRun(c, device);
            rows.Add(Measure(c, "forward", run.Forward, c.Flops, run.Bytes));
            if (run.HasBackward)
            {
                rows.Add(Measure(c, "forward+backward", run.ForwardAndBackward, c.Flops * (1 + c.BackwardFlops),
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
        return rows;
    }

    /// <summary>A whole update; the first ones fill pools and are not counted.</summary>
    public Row Time(StepCase c)
    {
        using var session = c.Start(device);
        return Measure(c.Modality, c.Shape, "update", () => session.Update(monitor: false), c.Flops, 0);
    }

    private Row Measure(OpCase c, string pass, Action call, double flops, long bytes) =>
        Measure(c.Op, c.Name, pass, call, flops, bytes);

    private Row Measure(string op, string name, string pass, Action call, double flops, long bytes)
    {
        var watch = Stopwatch.StartNew();
        var calls = 0;
        do call();
        while (++calls < 3 || watch.Elapsed.TotalSeconds < WarmUpSeconds && calls < 10_000);

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
        var arithmetic = flops > 0;
        var speed = (arithmetic ? flops : bytes) / seconds[0] / 1e9;
        return new Row(op, name, Status.Passed)
        {
            Pass = pass,
            MinSeconds = seconds[0],
            MedianSeconds = seconds[seconds.Count / 2],
            Runs = seconds.Count,
            Speed = speed,
            Unit = arithmetic ? "GFLOP/s" : "GB/s",
            PercentOfBound = 100 * speed / (arithmetic ? bounds.GigaFlops : bounds.GigaBytes(bytes)),
            AllocatedBytes = allocated / seconds.Count,
        };
    }
}
