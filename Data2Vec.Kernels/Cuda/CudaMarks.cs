using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels.Cuda;

/// <summary>Events of the driver's stream; the driver gives their difference to about half a microsecond.</summary>
internal sealed class CudaMarks(ICudaDriver driver, CudaQueue queue) : QueueMarks
{
    private readonly List<nint> events = [];

    public override void Set(int number)
    {
        while (events.Count <= number) events.Add(driver.CreateEvent());
        queue.SendNow(); // what was noted down comes before the mark
        driver.RecordEvent(events[number]);
    }

    public override double Seconds(int from, int to)
    {
        driver.WaitFor(events[from]);
        driver.WaitFor(events[to]);
        return driver.Milliseconds(events[from], events[to]) / 1e3;
    }

    public override void Dispose()
    {
        foreach (var mark in events) driver.DestroyEvent(mark);
        events.Clear();
    }
}
