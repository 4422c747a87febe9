using System.Runtime.InteropServices;

namespace Data2Vec.Kernels;

/// <summary>Memory of the host, 64-byte aligned, owned by a <see cref="HostPool"/>.</summary>
internal unsafe class HostBuffer : PooledBuffer
{
    private readonly byte* memory;

    internal HostBuffer(byte* memory, long bytes, int sizeClass)
    {
        this.memory = memory;
        Bytes = bytes;
        SizeClass = sizeClass;
    }

    /// <summary>Where the memory lies, for kernels that run on the host right now.</summary>
    internal virtual byte* Pointer => memory;

    internal byte* RawMemory => memory;
}

/// <summary>Pool of aligned host memory.</summary>
/// <param name="poison">Fill memory with NaN patterns when it is handed out, to expose reads before writes.</param>
/// <param name="make">How to make a buffer object; null for plain ones.</param>
internal sealed unsafe class HostPool(bool poison, Func<nint, long, int, HostBuffer>? make = null) : BufferPool<HostBuffer>
{
    private const int Alignment = 64;

    protected override string Owner => "The host";

    /// <inheritdoc cref="BufferPool{TBuffer}.Allocate"/>
    public new HostBuffer Allocate(long bytes)
    {
        var buffer = base.Allocate(bytes);
        if (poison) NativeMemory.Fill(buffer.RawMemory, (nuint)buffer.Bytes, 0xFF);
        return buffer;
    }

    protected override HostBuffer? TryMake(long bytes, int sizeClass)
    {
        void* memory;
        try
        {
            memory = NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
        return make is null ? new HostBuffer((byte*)memory, bytes, sizeClass) : make((nint)memory, bytes, sizeClass);
    }

    protected override void Release(HostBuffer buffer) => NativeMemory.AlignedFree(buffer.RawMemory);
}
