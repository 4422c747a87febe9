using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>What an update wrote about itself.</summary>
/// <param name="Values">The step values as they were after the update.</param>
/// <param name="Losses">The loss of each micro-batch.</param>
public readonly record struct StepRecord(StepValues Values, IReadOnlyList<double> Losses);

/// <summary>
/// The last updates' losses and step values, copied aside on the device: the host need not wait for every update to know
/// later how each of them went.
/// </summary>
public sealed class StepHistory : IDisposable
{
    private static readonly int RecordBytes = Unsafe.SizeOf<StepValues>();

    private readonly Device device;
    private readonly int parts;
    private readonly TensorRef values;
    private readonly TensorRef losses;
    private readonly TensorRef current;

    /// <summary>An empty history.</summary>
    /// <param name="device">Where the updates run.</param>
    /// <param name="capacity">Updates that it holds at most.</param>
    /// <param name="parts">Losses of an update.</param>
    /// <param name="type">Type of the losses.</param>
    public StepHistory(Device device, int capacity, int parts, DType type)
    {
        this.device = device;
        this.parts = parts;
        Capacity = capacity;
        values = device.AllocateLasting(new Shape(capacity, RecordBytes), DType.UInt8);
        losses = device.AllocateLasting(new Shape(capacity, parts), type);
        current = device.AllocateLasting(new Shape(parts), type);
    }

    /// <summary>Updates that it holds at most.</summary>
    public int Capacity { get; }

    /// <summary>Updates that were recorded and not read.</summary>
    public int Count { get; private set; }

    /// <summary>Queues a copy of one loss of the update that goes on.</summary>
    /// <param name="part">Which of its losses.</param>
    /// <param name="loss">One element.</param>
    public void Record(int part, Tensor loss)
    {
        Refuse.Unless(Count < Capacity, $"StepHistory: {Capacity} updates are recorded and none was read.");
        Copy(loss.View, current.View, part, 1);
    }

    /// <summary>
    /// Queues copies of the step values and of the losses: the update is over. It differs from one update to the next
    /// where they go, so this belongs behind a <see cref="StepScope"/>, which looks for equal steps.
    /// </summary>
    public void Record(StepState state)
    {
        Refuse.Unless(Count < Capacity, $"StepHistory: {Capacity} updates are recorded and none was read.");
        Copy(state.View, values.View, (long)Count * RecordBytes, RecordBytes);
        Copy(current.View, losses.View, (long)Count * parts, parts);
        Count++;
    }

    /// <summary>All records, oldest first, which are forgotten then; waits for the device.</summary>
    public IReadOnlyList<StepRecord> Read()
    {
        if (Count == 0) return [];
        var step = new StepValues[Count];
        device.Backend.Download(values.View, MemoryMarshal.AsBytes(step.AsSpan()));
        double[] loss;
        using (var scope = device.Scope())
        {
            losses.Retain();
            loss = new Tensor(losses.Reshaped(new Shape(Capacity * parts)), "StepHistory").ToDoubles();
        }
        Count = 0;
        return [.. step.Select((s, i) => new StepRecord(s, loss[(i * parts)..((i + 1) * parts)]))];
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        values.Release();
        losses.Release();
        current.Release();
    }

    private void Copy(BufferView from, BufferView to, long offset, int count)
    {
        var shape = new Shape(count);
        var args = new StridedCopyArgs
        {
            X = from, XStrides = shape.Strides, Y = to with { Offset = to.Offset + offset }, YStrides = shape.Strides, Shape = shape,
        };
        args.Check();
        device.Backend.StridedCopy(args);
    }
}
