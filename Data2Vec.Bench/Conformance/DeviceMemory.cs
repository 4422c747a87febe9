using System.Runtime.InteropServices;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Raw device memory for kernels that take no tensors (keep masks, optimiser tables); given back at the end.
/// </summary>
internal sealed class DeviceMemory(Device device) : IDisposable
{
    private readonly List<DeviceBuffer> buffers = [];

    public BufferView Upload<T>(ReadOnlySpan<T> values, DType type)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values);
        var buffer = device.Backend.Allocate(Math.Max(1, bytes.Length));
        buffers.Add(buffer);
        var view = new BufferView(buffer, 0, type);
        device.Backend.Upload(bytes, view);
        return view;
    }

    /// <summary>Doubles rounded to float32 or kept as float64.</summary>
    public BufferView UploadNumbers(ReadOnlySpan<double> values, DType type)
    {
        if (type == DType.Float64) return Upload(values, type);
        var singles = new float[values.Length];
        for (var i = 0; i < singles.Length; i++) singles[i] = (float)values[i];
        return Upload<float>(singles, type);
    }

    public void Overwrite<T>(BufferView view, ReadOnlySpan<T> values)
        where T : unmanaged => device.Backend.Upload(MemoryMarshal.AsBytes(values), view);

    public T[] Download<T>(BufferView view, int count)
        where T : unmanaged
    {
        var values = new T[count];
        device.Backend.Download(view, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    public double[] DownloadNumbers(BufferView view, int count) => view.DType == DType.Float64
        ? Download<double>(view, count)
        : Array.ConvertAll(Download<float>(view, count), x => (double)x);

    public void Dispose()
    {
        foreach (var buffer in buffers) device.Backend.Free(buffer);
        buffers.Clear();
    }
}
