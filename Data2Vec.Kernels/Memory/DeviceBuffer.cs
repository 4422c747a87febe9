namespace Data2Vec.Kernels;

/// <summary>
/// A piece of a device's memory, made by <see cref="IBackend.Allocate"/> and given back with
/// <see cref="IBackend.Free"/>. What is inside is the backend's own affair: no caller sees a pointer.
/// </summary>
public abstract class DeviceBuffer
{
    /// <summary>Usable bytes; may be more than was asked for, because a pool rounds up to size classes.</summary>
    public long Bytes { get; protected init; }
}

/// <summary>Elements of one type inside a buffer: how every kernel argument names its operands.</summary>
/// <param name="Buffer">The memory; null stands for an absent optional operand.</param>
/// <param name="Offset">First element, counted in elements of <paramref name="DType"/>.</param>
/// <param name="DType">Type of the elements.</param>
public readonly record struct BufferView(DeviceBuffer? Buffer, long Offset, DType DType)
{
    /// <summary>True for an operand that was not given.</summary>
    public bool IsNone => Buffer is null;

    /// <summary>Elements from <see cref="Offset"/> to the end of the buffer.</summary>
    public long Available => Buffer is null ? 0 : Buffer.Bytes / DType.Size() - Offset;

    /// <summary>The same memory, starting <paramref name="elements"/> further on.</summary>
    public BufferView At(long elements) => this with { Offset = Offset + elements };
}
