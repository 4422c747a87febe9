using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>The step values on the host and on the device: set, upload, run the step, read back when wanted.</summary>
public sealed class StepState : IDisposable
{
    /// <summary>The host's copy.</summary>
    public StepValues Values;

    private readonly TensorRef memory;

    /// <summary>Zeroed step values on a device, with a divisor and decay scale of 1.</summary>
    public StepState(Device device)
    {
        Device = device;
        memory = device.AllocateLasting(new Shape(Unsafe.SizeOf<StepValues>()), DType.UInt8);
        Values.GradientDivisor = 1;
        Values.WeightDecayScale = 1;
        Upload();
    }

    /// <summary>Where the device's copy lives.</summary>
    public Device Device { get; }

    /// <summary>The kernel operand.</summary>
    public BufferView View => memory.View;

    /// <summary>Sends the host's copy; queued like any operation.</summary>
    public void Upload() => Device.Backend.Upload(Bytes(ref Values), View);

    /// <summary>Fetches what kernels wrote; waits for the device.</summary>
    public void Download() => Device.Backend.Download(View, Bytes(ref Values));

    /// <summary>Dropout at a declared site of the model, with this step's key; none when the probability is 0.</summary>
    /// <exception cref="ArgumentException">The probability does not lie in [0, 1).</exception>
    public DropoutSource Dropout(double probability, uint site)
    {
        Refuse.Unless(probability is >= 0 and < 1, $"Dropout: the probability must lie in [0, 1); got {probability}.");
        return probability > 0 ? new DropoutSource(probability, site, View, default) : default;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => memory.Release();

    private static Span<byte> Bytes(ref StepValues values) =>
        MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref values, 1));
}

/// <summary>Constants of Adam.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root.</param>
/// <param name="Variant">AdamW, Adam with L2, or fairseq's Adam.</param>
public sealed record AdamOptions(
    double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, AdamVariant Variant = AdamVariant.AdamW);
