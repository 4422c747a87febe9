using System.Diagnostics;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Bench.Running;

/// <summary>What one call of something timed took.</summary>
/// <param name="MinSeconds">In the fastest sample, divided by the calls in it.</param>
/// <param name="MedianSeconds">In the median sample.</param>
/// <param name="Runs">Samples.</param>
/// <param name="AllocatedBytes">Managed bytes of one call.</param>
/// <param name="HostSeconds">What the host needs to queue one call; null where it also runs it.</param>
internal sealed record Timing(
    double MinSeconds, double MedianSeconds, int Runs, long AllocatedBytes, double? HostSeconds = null);

/// <summary>
/// Times what a device with a queue does, not what the host waits for. A sample is: the cache of the device is emptied by
/// writing over a buffer twice its size, again and again until the host has had time to queue the calls of the sample; a mark
/// in the queue; the calls, one after the other, each on operands of its own where they would fit the cache; a mark. The time
/// between the marks, divided by the calls, is what one takes with cold operands and without gaps. Peers are timed alike.
/// </summary>
internal sealed class QueueTimer : IDisposable
{
    /// <summary>Sets of operands that are used in turn.</summary>
    public const int MostCopies = 16;

    // Marks are good to half a microsecond, and a wait costs some: an interval is many times longer.
    private const double IntervalSeconds = 100e-6, WaitsPerInterval = 100;
    private const double MeasuredSeconds = 0.2, LongestSeconds = 3;
    private const int FewestSamples = 5, MostSamples = 2000, MostCalls = 1 << 12, MostFlushes = 1000;
    private const double HeadStart = 1.5;
    // Operands this many times larger than the cache push themselves out of it.
    private const int ColdByThemselves = 4;

    private readonly IBackend backend;
    private readonly IQueueTiming? timing;
    private readonly QueueMarks marks;
    private DeviceBuffer? flushed;

    public QueueTimer(Device device)
    {
        backend = device.Backend;
        timing = TimingOf(backend);
        marks = timing?.CreateMarks() ?? new WaitMarks(backend);
    }

    /// <summary>What the backend can be asked for; null when waiting for everything is all it can do.</summary>
    public static IQueueTiming? TimingOf(IBackend backend) => backend switch
    {
        CudaBackend cuda => cuda.Timing,
        IlgpuBackend ilgpu => ilgpu.Timing,
        _ => null,
    };

    /// <summary>Sets of operands that a case of so many bytes needs, for its calls to find them in no cache.</summary>
    public int Copies(long bytes)
    {
        var cold = ColdByThemselves * (timing?.CacheBytes ?? 0);
        return bytes >= cold ? 1 : (int)Math.Min(MostCopies, (cold + bytes - 1) / Math.Max(1, bytes));
    }

    /// <summary>Times calls that are warm already.</summary>
    /// <param name="calls">The same call, on as many sets of operands as there are.</param>
    /// <param name="bytes">What one moves.</param>
    public Timing Measure(IReadOnlyList<Action> calls, long bytes)
    {
        var (device, host) = Sample(calls, 1, 0);
        var wait = timing is null ? WaitSeconds() : 0;
        var wanted = Math.Max(IntervalSeconds, WaitsPerInterval * wait) / Math.Max(device, 1e-9);
        // Small operands stay in the cache after their first use: each set is used once between two flushes.
        var most = timing is null || bytes * calls.Count >= ColdByThemselves * timing.CacheBytes ? MostCalls : calls.Count;
        var count = (int)Math.Clamp(Math.Ceiling(wanted), 1, most);
        var flushes = Flushes(count * host);
        List<double> seconds = [], hostSeconds = [];
        var (total, watch) = (0.0, Stopwatch.StartNew());
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        while (seconds.Count < FewestSamples || total < MeasuredSeconds
            && seconds.Count < MostSamples && watch.Elapsed.TotalSeconds < LongestSeconds)
        {
            (device, host) = Sample(calls, count, flushes);
            seconds.Add(device);
            hostSeconds.Add(host);
            total += count * device;
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        backend.Synchronize();
        return Of(seconds, hostSeconds, allocated / ((long)seconds.Count * count));
    }

    /// <summary>Times updates one after the other, as they follow each other in training: from mark to mark.</summary>
    public Timing MeasureUpdates(Action update)
    {
        List<double> seconds = [], hostSeconds = [];
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        while (seconds.Count < FewestSamples || seconds.Sum() < MeasuredSeconds)
        {
            // The first of a batch finds the queue empty.
            for (var i = 0; i <= FewestSamples; i++)
            {
                var start = Stopwatch.GetTimestamp();
                update();
                hostSeconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                marks.Set(i);
            }
            for (var i = 0; i < FewestSamples; i++) seconds.Add(marks.Seconds(i, i + 1));
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        backend.Synchronize();
        return Of(seconds, hostSeconds, allocated / hostSeconds.Count);
    }

    public void Dispose()
    {
        marks.Dispose();
        if (flushed is not null) backend.Free(flushed);
    }

    private Timing Of(List<double> seconds, List<double> hostSeconds, long allocated)
    {
        seconds.Sort();
        hostSeconds.Sort();
        // A clock that has not moved between two marks has ticks; nothing takes no time.
        return new Timing(Math.Max(seconds[0], 1e-9), Math.Max(seconds[seconds.Count / 2], 1e-9), seconds.Count, allocated,
            timing?.RunsOnHost == true ? null : hostSeconds[hostSeconds.Count / 2]);
    }

    /// <summary>Seconds of one call, on the device and for the host to queue it.</summary>
    private (double Device, double Host) Sample(IReadOnlyList<Action> calls, int count, int flushes)
    {
        for (var i = 0; i < flushes; i++) timing!.Clear(flushed!);
        marks.Set(0);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++) calls[i % calls.Count]();
        var host = Stopwatch.GetElapsedTime(start).TotalSeconds;
        marks.Set(1);
        return (marks.Seconds(0, 1) / count, host / count);
    }

    /// <summary>How often the buffer is written over: once at least, and for as long as the host needs to get ahead.</summary>
    private int Flushes(double hostSeconds)
    {
        if (timing is null || timing.RunsOnHost) return 0;
        flushed ??= backend.Allocate(2 * timing.CacheBytes);
        for (var i = 0; i < 2; i++) timing.Clear(flushed);
        marks.Set(0);
        for (var i = 0; i < 4; i++) timing.Clear(flushed);
        marks.Set(1);
        var once = marks.Seconds(0, 1) / 4;
        return (int)Math.Clamp(Math.Ceiling(HeadStart * hostSeconds / Math.Max(once, 1e-7)), 1, MostFlushes);
    }

    private double WaitSeconds()
    {
        var shortest = double.PositiveInfinity;
        for (var i = 0; i < 5; i++)
        {
            var start = Stopwatch.GetTimestamp();
            backend.Synchronize();
            shortest = Math.Min(shortest, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return shortest;
    }

    /// <summary>For a queue without marks: each is a wait for everything before it.</summary>
    private sealed class WaitMarks(IBackend backend) : QueueMarks
    {
        private readonly List<long> times = [];

        public override void Set(int number)
        {
            backend.Synchronize();
            while (times.Count <= number) times.Add(0);
            times[number] = Stopwatch.GetTimestamp();
        }

        public override double Seconds(int from, int to) =>
            Stopwatch.GetElapsedTime(times[from], times[to]).TotalSeconds;

        public override void Dispose()
        {
        }
    }
}
