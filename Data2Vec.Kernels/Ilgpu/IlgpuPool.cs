using ILGPU;
using ILGPU.Runtime;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Memory of an ILGPU device, owned by an <see cref="IlgpuPool"/>.</summary>
internal sealed class IlgpuBuffer : PooledBuffer
{
    public IlgpuBuffer(MemoryBuffer1D<byte, Stride1D.Dense> memory, int sizeClass)
    {
        Memory = memory;
        Bytes = memory.Length;
        SizeClass = sizeClass;
    }

    public MemoryBuffer1D<byte, Stride1D.Dense> Memory { get; }
}

/// <summary>Pool of the memory of one device, for its one stream.</summary>
internal sealed class IlgpuPool(Accelerator accelerator) : BufferPool<IlgpuBuffer>
{
    protected override string Owner => $"{accelerator.Name} (memory {accelerator.MemorySize:N0} bytes)";

    protected override IlgpuBuffer? TryMake(long bytes, int sizeClass)
    {
        try
        {
            return new IlgpuBuffer(accelerator.Allocate1D<byte>(bytes), sizeClass);
        }
        catch (Exception e) when (e is AcceleratorException or OutOfMemoryException or OverflowException)
        {
            return null;
        }
    }

    protected override void Release(IlgpuBuffer buffer) => buffer.Memory.Dispose();

    protected override void Wait() => accelerator.Synchronize();
}
