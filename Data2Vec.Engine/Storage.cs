using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// Device memory with a count of its holders: scopes, tape nodes and callers that kept a tensor. The last one to let go
/// gives the memory back to the pool; there are no finalizers. A write raises the version, so that a derivative that
/// would read overwritten values can refuse.
/// </summary>
internal sealed class Storage
{
    private readonly int slot;
    private int holders = 1;

    /// <param name="device">Whose memory.</param>
    /// <param name="shape">Of the tensor that it is made for.</param>
    /// <param name="type">Of its elements.</param>
    /// <param name="owner">Who asks: a file of Ops, whose name is the operation, or a part of a parameter store.</param>
    /// <exception cref="OutOfMemoryException">The device has no more; the sentence says which tensors hold what.</exception>
    public Storage(Device device, Shape shape, DType type, string owner)
    {
        Device = device;
        Count = shape.Count;
        try
        {
            Buffer = device.Backend.Allocate(checked(shape.Count * type.Size()));
        }
        catch (OutOfMemoryException e)
        {
            throw new OutOfMemoryException(device.Live.Shortage(owner, shape, type, e.Message), e);
        }
        slot = device.Live.Add(owner, shape, type, Buffer.Bytes);
    }

    public Device Device { get; }

    /// <summary>Elements that were asked for; the buffer may have room for more.</summary>
    public long Count { get; }

    public DeviceBuffer Buffer { get; }

    /// <summary>Number of in-place writes so far.</summary>
    public int Version { get; private set; }

    /// <summary>The operation that wrote in place last.</summary>
    public string? LastWriter { get; private set; }

    /// <summary>True when nobody else would notice a write.</summary>
    public bool IsExclusive => holders == 1;

    public void Retain()
    {
        if (holders <= 0) throw new ObjectDisposedException(nameof(Storage), "Memory that was given back is held again.");
        holders++;
    }

    public void Release()
    {
        if (holders <= 0) throw new ObjectDisposedException(nameof(Storage), "Memory was given back twice.");
        if (--holders == 0) Free();
    }

    /// <summary>Gives the memory back although somebody still counts as a holder: after a failure nobody will let go.</summary>
    public void Abandon()
    {
        if (holders <= 0) return;
        holders = 0;
        Free();
    }

    public void Written(string op)
    {
        Version++;
        LastWriter = op;
    }

    private void Free()
    {
        Device.Live.Remove(slot);
        Device.Backend.Free(Buffer);
    }
}

/// <summary>
/// A tensor's place in memory without the handle: what nodes save for backward and what gradients are made of. Whoever
/// stores one calls <see cref="Retain"/>, and <see cref="Release"/> when done.
/// </summary>
internal readonly record struct TensorRef(Storage? Storage, long Offset, Shape Shape, DType DType, int Version)
{
    public bool IsNone => Storage is null;

    public Device Device => Storage!.Device;

    /// <summary>The operand for a kernel; an absent operand when there is no tensor.</summary>
    public BufferView View => Storage is null ? default : new BufferView(Storage.Buffer, Offset, DType);

    public TensorRef Retain()
    {
        Storage?.Retain();
        return this;
    }

    public void Release() => Storage?.Release();

    /// <summary>The operand, after making sure that nobody has overwritten it since it was saved.</summary>
    public BufferView Unchanged(string op)
    {
        if (Storage is not null && Storage.Version != Version)
        {
            throw new InvalidOperationException($"{op}: the value saved for backward was overwritten by "
                + $"{Storage.LastWriter} after the forward call.");
        }
        return View;
    }

    public TensorRef Reshaped(Shape shape) => this with { Shape = shape };
}
