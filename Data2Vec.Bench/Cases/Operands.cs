using System.Runtime.InteropServices;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Cases;

/// <summary>
/// The operands of one run of a case as tensors of one device, and the raw device memory that a run may need besides
/// (step values of dropout, keep masks, optimiser tables). Disposing gives the raw memory back.
/// </summary>
internal sealed class Operands(Device device, DType type, Tensor[] tensors, float[][] values) : IDisposable
{
    /// <summary>Seed and counters of every dropout in the catalogue; any fixed values do.</summary>
    private static readonly StepValues Step = new() { Seed = 20220207, Step = 5, MicroBatch = 1 };

    private readonly List<DeviceBuffer> buffers = [];
    private readonly Dictionary<int, BufferView> masks = [];
    private BufferView step;

    public Device Device => device;

    /// <summary>The floating-point type that the case runs in.</summary>
    public DType Type => type;

    public Tensor this[int index] => tensors[index];

    /// <summary>The numbers of an operand on the host.</summary>
    public float[] Values(int index) => values[index];

    /// <summary>Dropout whose bits come from the seed.</summary>
    public DropoutSource Dropout(double probability, uint site = 3)
    {
        if (step.IsNone) step = Upload(MemoryMarshal.AsBytes(new ReadOnlySpan<StepValues>(in Step)), DType.UInt8);
        return new DropoutSource(probability, site, step, default);
    }

    /// <summary>Dropout with an explicit keep mask: a Bool operand.</summary>
    public DropoutSource Keep(double probability, int mask)
    {
        if (!masks.TryGetValue(mask, out var bits))
            masks[mask] = bits = Upload(Array.ConvertAll(values[mask], v => (byte)v), DType.Bool);
        return new DropoutSource(probability, 0, default, bits);
    }

    /// <summary>Raw device memory holding these bytes, until the run ends.</summary>
    public BufferView Upload(ReadOnlySpan<byte> bytes, DType elements)
    {
        var view = Allocate(bytes.Length / elements.Size(), elements);
        device.Backend.Upload(bytes, view);
        return view;
    }

    /// <summary>Raw device memory holding these numbers in the type of the case.</summary>
    public BufferView Upload(ReadOnlySpan<float> numbers)
    {
        if (type == DType.Float32) return Upload(MemoryMarshal.AsBytes(numbers), type);
        var wide = new double[numbers.Length];
        for (var i = 0; i < wide.Length; i++) wide[i] = numbers[i];
        return Upload(MemoryMarshal.AsBytes<double>(wide), type);
    }

    /// <summary>Uninitialised raw device memory, until the run ends.</summary>
    public BufferView Allocate(long count, DType elements)
    {
        var buffer = device.Backend.Allocate(count * elements.Size());
        buffers.Add(buffer);
        return new BufferView(buffer, 0, elements);
    }

    /// <summary>The numbers in raw device memory.</summary>
    public double[] Download(BufferView view, int count)
    {
        if (view.DType == DType.Float64) return DownloadAs<double>(view, count);
        return Array.ConvertAll(DownloadAs<float>(view, count), x => (double)x);
    }

    /// <summary>Structures in raw device memory.</summary>
    public T[] DownloadAs<T>(BufferView view, int count)
        where T : unmanaged
    {
        var target = new T[count];
        device.Backend.Download(view, MemoryMarshal.AsBytes(target.AsSpan()));
        return target;
    }

    public void Dispose()
    {
        foreach (var buffer in buffers) device.Backend.Free(buffer);
        buffers.Clear();
    }
}
