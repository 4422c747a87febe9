using ILGPU.Runtime;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>ILGPU's profiling markers: events of the stream on CUDA, times of the host on its CPU accelerator.</summary>
internal sealed class AcceleratorMarks(AcceleratorStream stream) : QueueMarks
{
    private readonly List<ProfilingMarker?> markers = [];

    public override void Set(int number)
    {
        while (markers.Count <= number) markers.Add(null);
        markers[number]?.Dispose();
        markers[number] = stream.AddProfilingMarker();
    }

    public override double Seconds(int from, int to)
    {
        var (first, last) = (markers[from]!, markers[to]!);
        first.Synchronize();
        last.Synchronize();
        return last.MeasureFrom(first).TotalSeconds;
    }

    public override void Dispose()
    {
        foreach (var marker in markers) marker?.Dispose();
        markers.Clear();
    }
}
